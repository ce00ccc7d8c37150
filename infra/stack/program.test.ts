import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProgram, machineOf } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'program-'));
const file = (name: string, content: Buffer | string, mode = 0o755) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
};

/** The start of an ELF file for a processor. */
function elf(machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x7f454c46, 0);
  header[4] = 2;
  header[5] = 1;
  header.writeUInt16LE(machine, 18);
  return header;
}

describe('checkProgram', () => {
  it('accepts the program that runs this test, and scripts', () => {
    checkProgram('Node', process.execPath, '');
    checkProgram('script', file('script', '#!/bin/sh\n'), '');
  });

  it.each([
    ['not there', join(folder, 'nothing'), 'is not there'],
    ['not executable', file('plain', '#!/bin/sh\n', 0o644), 'is not executable'],
    ['a text file', file('text', 'this is no program, only text\n'), 'is no program'],
    ['an empty file', file('empty', ''), 'is no program'],
    ['another processor', file('riscv', elf(0xf3)), 'was made for linux riscv64'],
  ])('refuses what is %s', (_, path, message) => {
    expect(() => checkProgram('MinIO', path, 'Get it.')).toThrow(
      expect.objectContaining({ code: 'BinaryMissing', message: expect.stringMatching(message) }),
    );
  });
});

it.each([
  ['linux x64', elf(0x3e)],
  ['linux arm64', elf(0xb7)],
  ['darwin arm64', Buffer.from('cffaedfe0c000001000000000200000000000000', 'hex')],
  ['darwin x64', Buffer.from('cffaedfe07000001000000000200000000000000', 'hex')],
  ['darwin any', Buffer.from('cafebabe00000002010000070000000300004000', 'hex')],
  [undefined, Buffer.from('MZ')],
])('recognises %s', (machine, start) => {
  expect(machineOf(start)).toBe(machine);
});
