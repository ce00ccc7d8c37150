/** What a node says of its machine, in OpenJD's names for host requirements (`amount.worker.*`, `attr.worker.*`). */
import { arch, platform, totalmem } from 'node:os';

const FAMILY: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'macos', win32: 'windows' };
const ARCHITECTURE: Record<string, string> = { x64: 'x86_64', arm64: 'arm64' };

/** @param threads the node gives to the farm */
export function machineLabels(threads: number): Record<string, number | string[]> {
  return {
    'amount.worker.vcpu': threads,
    'amount.worker.memory': Math.floor(totalmem() / 2 ** 20),
    'attr.worker.os.family': [FAMILY[platform()] ?? platform()],
    'attr.worker.cpu.arch': [ARCHITECTURE[arch()] ?? arch()],
  };
}
