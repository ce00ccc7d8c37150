/**
 * Vulkan without a GPU: SwiftShader, when the environment asks for it by `FARM_SOFTWARE_VULKAN`.
 *
 * The value is a folder that holds the three files below (the program folder of Chrome or Chromium does), or `1` for the
 * ones that npm `@sparticuz/chromium` carries, if that is installed. Dawn opens the loader by its bare name, which is
 * normally found along a search path that is fixed when a process starts; a loader that is already in memory is found
 * first, so it is brought there by its full path.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { FarmError } from '../../domain/errors.ts';

const LOADER = 'libvulkan.so.1';
const DRIVER = 'libvk_swiftshader.so';
const MANIFEST = 'vk_swiftshader_icd.json';
const FILES = [LOADER, DRIVER, MANIFEST];

/** glibc's RTLD_NODELETE: the library stays when Node closes it again, as it does with what is no add-on of its own. */
const RTLD_NODELETE = 0x1000;

let active: string | null = null;

/**
 * Makes SwiftShader this process's Vulkan if `FARM_SOFTWARE_VULKAN` asks for it; does nothing otherwise. Call it before the
 * first adapter is asked for. Throws `GpuMissing` when what the variable names is not there.
 */
export function takeSoftwareVulkanIfAsked(): void {
  const asked = process.env.FARM_SOFTWARE_VULKAN;
  if (!asked || asked === '0' || active !== null) return;
  const folder = asked === '1' ? bundledSoftwareVulkan() : path.resolve(asked);
  const missing = folder === null ? FILES : FILES.filter((name) => !existsSync(path.join(folder, name)));
  if (folder === null || missing.length > 0) {
    throw new FarmError(
      'GpuMissing',
      `FARM_SOFTWARE_VULKAN is "${asked}", but ${missing.join(', ')} cannot be found there.`,
      { FARM_SOFTWARE_VULKAN: asked },
    );
  }
  process.env.VK_ICD_FILENAMES = path.join(folder, MANIFEST);
  process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES;
  try {
    process.dlopen({ exports: {} }, path.join(folder, LOADER), os.constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    // Node reports that the library is no add-on, after it was loaded. Anything else is a true failure.
    if (!/did not self-register|not self-register/.test(String(error))) {
      throw new FarmError('GpuMissing', `${LOADER} cannot be loaded: ${error}`, { folder }, { cause: error });
    }
  }
  active = folder;
}

/** Whether a driver that computes on the CPU will do where a GPU is asked for by name. */
export const isSoftwareVulkanAsked = (): boolean => !['', '0'].includes(process.env.FARM_SOFTWARE_VULKAN ?? '');

/**
 * Folder with the SwiftShader of npm `@sparticuz/chromium`, unpacked once a machine below the temporary folder; null when the
 * package is not installed or its build is not for this platform (it is for Linux on x86-64).
 */
export function bundledSoftwareVulkan(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  let archive: Buffer;
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    const root = entry.slice(0, entry.lastIndexOf(`${path.sep}build${path.sep}`));
    archive = readFileSync(path.join(root, 'bin', 'swiftshader.tar.br'));
  } catch {
    return null;
  }
  const name = `framewright-swiftshader-${os.userInfo().uid}-${createHash('sha256').update(archive).digest('hex').slice(0, 12)}`;
  const folder = path.join(os.tmpdir(), name);
  if (FILES.every((file) => existsSync(path.join(folder, file)))) return folder;
  const fresh = mkdtempSync(path.join(os.tmpdir(), 'framewright-unpack-'));
  for (const { name: file, bytes } of tarEntries(zlib.brotliDecompressSync(archive))) {
    if (FILES.includes(file)) writeFileSync(path.join(fresh, file), bytes);
  }
  try {
    renameSync(fresh, folder);
  } catch {
    // Another process was first.
    rmSync(fresh, { recursive: true, force: true });
  }
  return FILES.every((file) => existsSync(path.join(folder, file))) ? folder : null;
}

/** Plain files of a tar archive (POSIX.1-1988 ustar headers: name at 0, size in octal at 124). */
function* tarEntries(archive: Buffer): Generator<{ name: string; bytes: Buffer }> {
  for (let at = 0; at + 512 <= archive.length; ) {
    const name = archive.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    if (name === '') return;
    const size = Number.parseInt(archive.toString('ascii', at + 124, at + 136), 8);
    yield { name, bytes: archive.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
