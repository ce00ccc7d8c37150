import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contactSheet, pickEvenly } from './contactSheet.ts';
import { encodeFilm, frameRate } from './film.ts';
import { numberPath } from './numberGlyphs.ts';
import { thumbnail } from './preview.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'framewright-film-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes a picture of one colour and returns its path. */
async function plate(
  name: string,
  colour: { r: number; g: number; b: number },
  width = 47,
  height = 27,
): Promise<string> {
  const file = path.join(folder, `${name}.png`);
  await sharp({ create: { width, height, channels: 3, background: colour } })
    .png()
    .toFile(file);
  return file;
}

describe('the contact sheet', () => {
  it('shows each frame in its place, its number, and a gap where one is missing', async () => {
    const frames = [
      { frame: 1, previewPath: await plate('red', { r: 255, g: 0, b: 0 }) },
      { frame: 2, previewPath: null },
      { frame: 3, previewPath: await plate('blue', { r: 0, g: 0, b: 255 }) },
    ];
    const { data, info } = await sharp(await contactSheet(frames, { thumbnailWidth: 60 }))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const seen = (test: (r: number, g: number, b: number) => boolean): number => {
      let count = 0;
      for (let i = 0; i < data.length; i += info.channels) if (test(data[i]!, data[i + 1]!, data[i + 2]!)) count++;
      return count;
    };
    const thumbnailPixels = 60 * Math.round((60 * 27) / 47);
    expect(seen((r, g, b) => r > 250 && g < 5 && b < 5)).toBe(thumbnailPixels);
    expect(seen((r, g, b) => b > 250 && g < 5 && r < 5)).toBe(thumbnailPixels);
    // The numbers and the hatching of the gap are there without any font.
    expect(seen((r, g, b) => r === 0xae && g === 0xb6 && b === 0xc6)).toBeGreaterThan(60);
    expect(seen((r, g, b) => r === 0x34 && g === 0x39 && b === 0x45)).toBeGreaterThan(300);
  });

  it('takes frames of a long shot evenly, with the first and the last', () => {
    const items = Array.from({ length: 1000 }, (_, i) => i);
    const picked = pickEvenly(items, 10);
    expect(picked).toHaveLength(10);
    expect([picked[0], picked[9]]).toEqual([0, 999]);
    expect(pickEvenly([1, 2], 10)).toEqual([1, 2]);
  });

  it('draws every digit differently', () => {
    const shapes = new Set(Array.from({ length: 10 }, (_, digit) => numberPath(digit, 0, 0, 1)));
    expect(shapes.size).toBe(10);
  });
});

describe('thumbnails', () => {
  it('shrink, never grow', async () => {
    const source = await plate('wide', { r: 9, g: 9, b: 9 }, 400, 100);
    expect(await sharp(await thumbnail(source, 100)).metadata()).toMatchObject({
      format: 'webp',
      width: 100,
      height: 25,
    });
    expect(await sharp(await thumbnail(source, 900, 'png')).metadata()).toMatchObject({ format: 'png', width: 400 });
  });
});

/** Reads a film back with FFmpeg's demuxer and decoder: mean luma of each picture. */
async function decodeFilm(file: string): Promise<{ luma: number[]; width: number; height: number }> {
  // The demuxer of node-av uses this function of Node 22.
  Object.assign(Promise, {
    withResolvers() {
      const parts: Record<string, unknown> = {};
      parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
      return parts;
    },
  });
  const { Decoder, Demuxer } = await import('node-av');
  const demuxer = await Demuxer.open(file);
  const stream = demuxer.video()!;
  const decoder = await Decoder.create(stream);
  const luma: number[] = [];
  let [width, height] = [0, 0];
  for await (const frame of decoder.frames(demuxer.packets(stream.index))) {
    if (!frame) continue;
    [width, height] = [frame.width, frame.height];
    const plane = frame.toBuffer().subarray(0, width * height);
    luma.push(plane.reduce((sum, value) => sum + value, 0) / plane.length);
    frame.free();
  }
  decoder.close();
  await demuxer.close();
  return { luma, width, height };
}

describe('the film', () => {
  it('holds every frame in order, gaps included, at an even size, index in front', async () => {
    const greys = await Promise.all([40, 120, 200].map((v) => plate(`grey${v}`, { r: v, g: v, b: v })));
    const frames = [0, 1, 2, 1, 0].map((k, i) => ({ frame: i + 1, previewPath: i === 3 ? null : greys[k]! }));
    const file = path.join(folder, 'film.mp4');
    const facts = await encodeFilm(frames, file, { fps: 24 });
    expect(facts).toEqual({ width: 48, height: 28, frames: 5 });
    const { luma, width, height } = await decodeFilm(file);
    expect([width, height]).toEqual([48, 28]);
    expect(luma).toHaveLength(5);
    for (const [i, grey] of [40, 120, 200].entries())
      expect(Math.abs(luma[i]! - (16 + (219 / 255) * grey))).toBeLessThan(3);
    const bytes = await readFile(file);
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
  });

  it('is not left behind half done', async () => {
    const file = path.join(folder, 'none.mp4');
    await expect(encodeFilm([{ frame: 1, previewPath: null }], file, { fps: 24 })).rejects.toMatchObject({
      code: 'RenderFailed',
    });
    const frames = [{ frame: 1, previewPath: await plate('one', { r: 1, g: 1, b: 1 }) }];
    const cancelled = encodeFilm(frames, file, { fps: 24, signal: AbortSignal.abort() });
    await expect(cancelled).rejects.toMatchObject({ code: 'Cancelled' });
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('knows the frame rates of television', () => {
    expect([24, 25, 23.976, 29.97, 59.94, 12.5].map((fps) => Object.values(frameRate(fps)).join('/'))).toEqual([
      '24/1',
      '25/1',
      '24000/1001',
      '30000/1001',
      '60000/1001',
      '12500/1000',
    ]);
  });
});
