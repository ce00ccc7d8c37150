/** The import rule is a check that can fail: a house that breaks it is refused, each room by its own rule. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
let house: string;
afterEach(() => rm(house, { recursive: true, force: true }));

/** Checks a small house of these files with the project's own configuration. */
async function check(files: Record<string, string>): Promise<{ exitCode: number; output: string }> {
  house = await mkdtemp(join(tmpdir(), 'framewright-house-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(house, path)), { recursive: true });
    await writeFile(join(house, path), text);
  }
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
    await cp(join(root, name), join(house, name));
  await symlink(join(root, 'node_modules'), join(house, 'node_modules'));
  const rooms = [...new Set(Object.keys(files).map((path) => path.split('/')[0]!))];
  const program = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const args = [program, '--config', '.dependency-cruiser.cjs', '--output-type', 'err', ...rooms];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: house }, (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

/** Rule, the file that breaks it, and what that may not import. */
const FORBIDDEN = [
  ['domain-imports', 'domain/a.ts', 'ports/b.ts'],
  ['ports-imports', 'ports/a.ts', 'activities/b.ts'],
  ['workflows-imports', 'workflows/a.ts', 'ports/b.ts'],
  ['activities-imports', 'activities/a.ts', 'workers/b.ts'],
  ['renderer-imports', 'renderer/a.ts', 'ports/b.ts'],
  ['farm-ui-web-imports', 'farm-ui/web/a.ts', 'domain/b.ts'],
  ['cli-imports', 'cli/a.ts', 'ports/b.ts'],
] as const;

describe('the import rule', () => {
  // One house breaks all of them, as starting the check is what takes the time.
  let broken: Awaited<ReturnType<typeof check>>;
  beforeAll(async () => {
    const files: Record<string, string> = {};
    for (const [, from, to] of FORBIDDEN) {
      const up = '../'.repeat(from.split('/').length - 1);
      files[to] = 'export const b = 1;\n';
      files[from] = `import { b } from '${up}${to}';\nexport const a = b;\n`;
    }
    broken = await check(files);
    await rm(house, { recursive: true });
  });

  it.each(FORBIDDEN)('%s: %s may not import %s', (rule, from, to) => {
    const { exitCode, output } = broken;
    expect(output).toContain(`error ${rule}: ${from} → ${to}`);
    expect(exitCode).not.toBe(0);
  });

  it('lets workflows import types of activities, and never their code', async () => {
    const activity = { 'activities/b.ts': 'export const b = 1;\nexport type B = number;\n' };
    const typed = await check({
      ...activity,
      'workflows/a.ts': "import type { B } from '../activities/b.ts';\nexport const a: B = 1;\n",
    });
    expect(typed).toMatchObject({ exitCode: 0 });
    await rm(house, { recursive: true });
    const coded = await check({
      ...activity,
      'workflows/a.ts': "import { b } from '../activities/b.ts';\nexport const a = b;\n",
    });
    expect(coded.output).toContain('workflows-activities-types-only');
    expect(coded.exitCode).not.toBe(0);
  });
});
