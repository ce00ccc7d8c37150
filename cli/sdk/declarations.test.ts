/** The guide's program in TypeScript, compiled against the SDK as it is built. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const OPTIONS = '--noEmit --strict --target es2022 --module nodenext --moduleResolution nodenext --types node'.split(
  ' ',
);

let folder: string;
let guide: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'framewright-declarations-'));
  for (const name of ['dist', 'node_modules']) await symlink(join(root, name), join(folder, name));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const page = await readFile(join(root, 'docs', 'pipeline.md'), 'utf8');
  guide = /```ts\n(.*?)```/s.exec(page)![1]!;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the compiler says, by line; nothing where all is right. */
async function compile(program: string): Promise<string> {
  const file = join(folder, 'shot.ts');
  await writeFile(file, program);
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = promisify(execFile)(process.execPath, [compiler, ...OPTIONS, file], { cwd: folder });
  return run.then(
    () => '',
    (error: { stdout: string }) => error.stdout.trim(),
  );
}

it('compiles as it stands', async () => {
  expect(await compile(guide)).toBe('');
});

it('is told of what the API does not give', async () => {
  const wrong = `${guide}\nconst count: number = job.name;\njob.nowhere;\n`;
  const errors = (await compile(wrong)).split('\n').map((line) => /error (TS\d+)/.exec(line)?.[1]);
  expect(errors).toEqual(['TS2322', 'TS2339']);
});
