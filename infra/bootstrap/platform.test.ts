import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../stack/paths.ts';
// @ts-expect-error set-up code is plain JavaScript without types
import { checkPlatform } from './platform.js';

const good = { platform: 'linux', arch: 'x64', node: '20.19.0', glibc: '2.36' };

describe('checkPlatform', () => {
  it.each([
    good,
    { ...good, arch: 'arm64', node: '24.1.0' },
    { ...good, platform: 'darwin', arch: 'arm64', glibc: undefined },
  ])('accepts $platform $arch with Node $node', (machine) => {
    expect(() => checkPlatform(machine)).not.toThrow();
  });

  it.each([
    ['win32 on x64', { ...good, platform: 'win32', glibc: undefined }],
    ['linux on riscv64', { ...good, arch: 'riscv64' }],
    ['freebsd on x64', { ...good, platform: 'freebsd', glibc: undefined }],
    ['musl', { ...good, glibc: undefined }],
    ['Node 20.18.3', { ...good, node: '20.18.3' }],
    ['Node 18.20.0', { ...good, node: '18.20.0' }],
  ])('refuses %s by name', (name, machine) => {
    expect(() => checkPlatform(machine)).toThrow(
      expect.objectContaining({ code: 'PlatformUnsupported', message: expect.stringContaining(name) }),
    );
  });
});

it('refuses before anything is fetched or started', async () => {
  const pretend = "Object.defineProperty(process, 'platform', { value: 'sunos' })";
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    const start = join(repositoryRoot, 'infra', 'bootstrap', 'start.js');
    execFile(process.execPath, ['--import', `data:text/javascript,${pretend}`, start], (error, _, stderr) => {
      resolve({ code: error?.code, stderr });
    });
  });
  expect(stderr).toContain('PlatformUnsupported: sunos on x64 is not supported.'.replace('x64', process.arch));
  expect(code).toBe(6);
});
