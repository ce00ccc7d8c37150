/** Checks that a file is a program this machine can run, before it is started: the shell's own complaints say little. */
import { accessSync, closeSync, constants, openSync, readSync } from 'node:fs';
import { FarmError } from '../../domain/errors.ts';

/** ELF `e_machine` of the processors we run on. */
const ELF_MACHINES: Record<number, string> = { 62: 'x64', 183: 'arm64', 3: 'ia32', 40: 'arm', 243: 'riscv64' };
/** Mach-O `cputype` of the processors we run on. */
const MACH_CPUS: Record<number, string> = { 16777223: 'x64', 16777228: 'arm64' };

/**
 * @param service whose program it is, for the message
 * @param remedy what brings the right one
 * @throws FarmError `BinaryMissing` when it is not there, not executable, no program, or one for another machine
 */
export function checkProgram(service: string, path: string, remedy: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'EACCES' ? 'is not executable' : 'is not there';
    throw new FarmError(
      'BinaryMissing',
      `The program of ${service} ${why}: ${path}. ${remedy}`,
      { service, path },
      { cause: error },
    );
  }
  const made = machineOf(readStart(path));
  const here = `${process.platform} ${process.arch}`;
  if (made === 'script' || made === here || made === `${process.platform} any`) return;
  const what = made === undefined ? 'is no program' : `was made for ${made}`;
  throw new FarmError(
    'BinaryMissing',
    `The program of ${service} ${what}; this machine is ${here} (wrong architecture): ${path}. ${remedy}`,
    {
      service,
      path,
    },
  );
}

/** `linux x64` and the like; `script` for `#!`; undefined for anything else. `any` is a file for several processors. */
export function machineOf(start: Buffer): string | undefined {
  if (start.length >= 2 && start.toString('latin1', 0, 2) === '#!') return 'script';
  if (start.length < 20) return undefined;
  if (start.readUInt32BE(0) === 0x7f454c46) {
    const machine = start[5] === 2 ? start.readUInt16BE(18) : start.readUInt16LE(18);
    return `linux ${ELF_MACHINES[machine] ?? `machine ${machine}`}`;
  }
  const magic = start.readUInt32LE(0);
  if (magic === 0xfeedfacf) return `darwin ${MACH_CPUS[start.readUInt32LE(4)] ?? 'another processor'}`;
  if (magic === 0xbebafeca) return 'darwin any';
  return undefined;
}

function readStart(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(20);
    return start.subarray(0, readSync(file, start, 0, start.length, 0));
  } finally {
    closeSync(file);
  }
}
