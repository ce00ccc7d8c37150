import { expect, it } from 'vitest';
import { programOf } from './programs.ts';

it('tells programs by their command lines', () => {
  const line = (...words: string[]): string => `${words.join('\0')}\0`;
  expect(programOf(line('/opt/minio', 'server', '/data/store'), true)).toBe('home');
  expect(programOf(line('/opt/minio', 'server', '/data/store'), false)).toBe('store');
  expect(programOf(line('/usr/bin/node', '/farm/dist/workers/node/main.js'), false)).toBe('node');
  expect(programOf(line('/usr/bin/node', '/farm/dist/workers/site/main.js'), false)).toBe('agent');
  expect(programOf(line('/usr/bin/node', '/farm/dist/farm-ui/api/main.js'), true)).toBe('api');
  expect(programOf(line('/usr/bin/node', '/farm/dist/test/bench/edge/inside.js'), true)).toBe('studio');
  // A process that names itself has one string.
  expect(programOf('postgres: farm_service farm 127.0.0.1(40056) idle', true)).toBe('database');
  expect(programOf(line('/usr/bin/anvil', '--state', 'chain'), true)).toBe('other');
});
