import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildContracts } from './build.js';

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'framewright-contracts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** forge's verdict on one test function. */
interface ForgeResult {
  status: 'Success' | 'Failure' | 'Skipped';
  reason: string | null;
}
type ForgeReport = Record<string, { test_results: Record<string, ForgeResult> }>;

/** Runs the tests in Solidity and gives forge's report; fails with forge's own words when there is none. */
async function forgeTest(): Promise<ForgeReport> {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const manifest = `@foundry-rs/forge-${process.platform}-${arch}/package.json`;
  // The platform's package lies where the wrapper's dependencies do.
  const wrapper = require.resolve('@foundry-rs/forge/package.json');
  const binary = join(dirname(createRequire(wrapper).resolve(manifest)), 'bin', 'forge');
  const env = { ...process.env, FOUNDRY_CONFIG: join(root, 'contracts', 'foundry.toml') };
  const child = spawn(binary, ['test', '--root', root, '--json'], { cwd: root, env });
  let output = '';
  let complaints = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  const start = output.indexOf('{');
  if (start < 0) throw new Error(`forge gave no report:\n${output}\n${complaints}`);
  return JSON.parse(output.slice(start)) as ForgeReport;
}

describe('the contracts', () => {
  it('hold their unit, fuzz and invariant tests in forge', { timeout: 240_000 }, async () => {
    const report = await forgeTest();
    const results = Object.entries(report).flatMap(([suite, { test_results }]) =>
      Object.entries(test_results).map(([name, result]) => ({ name: `${suite} ${name}`, ...result })),
    );
    expect(results.filter(({ status }) => status !== 'Success')).toEqual([]);
    const names = results.map(({ name }) => name).join('\n');
    expect(results.length).toBeGreaterThan(40);
    expect(names).toContain('invariant_everyBaseUnitIsAccountedFor');
  });

  it('are compiled once, and again when something is missing', { timeout: 180_000 }, async () => {
    const first = await buildContracts(folder);
    expect(first).toMatchObject({ compiled: true });
    expect(first.contracts).toEqual(expect.arrayContaining(['CMPToken', 'JobEscrow', 'Settlement']));
    const path = join(folder, 'Settlement.json');
    const { abi, bytecode } = JSON.parse(readFileSync(path, 'utf8'));
    expect(bytecode).toMatch(/^0x[0-9a-f]+$/);
    expect(abi.map((entry: { name?: string }) => entry.name)).toContain('postBatch');
    const { mtimeMs } = statSync(path);
    expect(await buildContracts(folder)).toMatchObject({ compiled: false });
    expect(statSync(path).mtimeMs).toBe(mtimeMs);
    rmSync(path);
    expect(await buildContracts(folder)).toMatchObject({ compiled: true });
  });
});
