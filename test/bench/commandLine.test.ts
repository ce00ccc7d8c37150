/** The programs that npm runs beside the tests, as a person asks them wrongly. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { distFolder } from '../../infra/stack/paths.ts';

/** Its end; no program gets as far as to measure anything. */
function ask(program: string, args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(distFolder, 'test', program), ...args], (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

describe.each([
  ['bench:render', 'bench/main.js'],
  ['bench:denoise', 'bench/denoise/main.js'],
  ['bench:upload', 'bench/upload/main.js'],
  ['bench:edge', 'bench/edge/main.js'],
  ['sim:edge', 'sim/main.js'],
  ['check:reference', 'reference/main.js'],
  ['check:exr', 'exr/main.js'],
  ['fuzz:gltf', 'fuzz/gltf.js'],
  ['docs:pictures', 'pictures/main.js'],
])('npm run %s', (name, program) => {
  it.concurrent('says with --help what it can be asked', async () => {
    const { exitCode, stdout } = await ask(program, ['--help']);
    expect(stdout).toContain(`npm run ${name} [-- `);
    expect(exitCode).toBe(0);
  });

  it.concurrent('refuses an option that it does not have, with code and remedy and without a stack', async () => {
    const { exitCode, stderr } = await ask(program, ['--nonsense']);
    expect(stderr).toMatch(/^SettingInvalid: .*--nonsense/);
    expect(stderr).toContain(`npm run ${name} -- --help`);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(2);
  });
});

it.concurrent.each([
  ['bench/main.js', '--only', 'nothing', '--only must be some of embree'],
  ['bench/main.js', '--threads', '0', '--threads must be a whole number from 1 on, not "0"'],
  ['bench/denoise/main.js', '--only', 'demo,nothing', '--only must be some of demo'],
  ['bench/denoise/main.js', '--size', '192', '--size must be a width and height such as 192x108, not "192"'],
  ['bench/denoise/main.js', '--seeds', '1,x', '--seeds must be a whole number from 0 on, not "x"'],
  ['bench/upload/main.js', '--only', 'nothing', '--only must be some of throughput'],
  ['bench/upload/main.js', '--rounds', 'two', '--rounds must be a whole number from 1 on, not "two"'],
  ['reference/main.js', '--only', 'nothing', '--only must be some of '],
  ['fuzz/gltf.js', '--cases', 'many', '--cases must be a whole number from 1 on, not "many"'],
  ['pictures/main.js', '--only', 'nothing', '--only must be some of materials'],
])('%s %s %s is refused', async (program, flag, text, said) => {
  const { exitCode, stderr } = await ask(program, [flag, text]);
  expect(stderr).toContain(`SettingInvalid: ${said}`);
  expect(exitCode).toBe(2);
});
