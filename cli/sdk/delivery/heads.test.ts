/** What a farm that answers late, or an older one, does to heads; heads.stack.test.ts has the real farm. */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { seededBytes } from '../../../test/support/bytes.ts';
import type { FrameHead, JudgedFrame } from '../types.ts';
import { AddressBook } from './addressBook.ts';
import { Heads } from './heads.ts';
import { PartFiles } from './partFiles.ts';
import { SiteStreams } from './siteStreams.ts';

const picture = seededBytes(4_000, 'a frame');
const QUARTER = 1_000;
let server: Server;
let folder: string;
let parts: PartFiles;
let head: FrameHead;

beforeAll(async () => {
  server = createServer((request, response) => {
    const [from, to] = /bytes=(\d+)-(\d+)/.exec(String(request.headers.range))!.slice(1).map(Number);
    response.writeHead(206).end(picture.subarray(from!, to! + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/frame`;
  const names = { unitId: 'one', siteId: null, name: 'shot.0001.exr', hash: 'ab'.repeat(32) };
  head = { ...names, sizeBytes: picture.length, headBytes: QUARTER, url };
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-heads-'));
  parts = new PartFiles(folder);
  return async () => {
    parts.close();
    await rm(folder, { recursive: true, force: true });
  };
});

const headsOf = (call: () => Promise<{ items: JudgedFrame[] }>) =>
  new Heads({
    ...{ parts, addresses: new AddressBook(call), streams: new SiteStreams() },
    signal: new AbortController().signal,
  });

it('waits for no address of a second quarter once the frame is committed', async () => {
  const heads = headsOf(() => new Promise(() => undefined));
  heads.begun(head);
  heads.judged('one', 'node');
  const part = await heads.settled('one');
  expect((await readFile(part!)).equals(picture.subarray(0, QUARTER))).toBe(true);
});

it('takes one quarter from a farm that knows of no second', async () => {
  const older = headsOf(async () => ({ items: [head as JudgedFrame] }));
  older.judged('one', 'node');
  const part = await older.settled('one');
  // It asks first; here the frame is committed meanwhile.
  expect(part).toBeNull();
  older.begun(head);
  older.judged('one', 'node');
  await new Promise((resolve) => setTimeout(resolve, 100));
  const begun = await older.settled('one');
  expect((await readFile(begun!)).equals(picture.subarray(0, QUARTER))).toBe(true);
});

it('takes both from one that does', async () => {
  const heads = headsOf(async () => ({ items: [{ ...head, nextUrl: head.url }] }));
  heads.begun(head);
  heads.judged('one', 'node');
  await expect.poll(async () => (await readFile(parts.pathsOf(head).part)).length).toBe(2 * QUARTER);
  const part = await heads.settled('one');
  expect((await readFile(part!)).equals(picture.subarray(0, 2 * QUARTER))).toBe(true);
});
