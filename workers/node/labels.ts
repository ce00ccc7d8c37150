/** What a node says of its machine, in OpenJD's names for host requirements (`amount.worker.*`, `attr.worker.*`). */
import { arch, platform, totalmem } from 'node:os';

const FAMILY: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'macos', win32: 'windows' };
const ARCHITECTURE: Record<string, string> = { x64: 'x86_64', arm64: 'arm64' };

/** A machine with a GPU has a processor too; one that was told to use its GPU alone does not offer it. */
export type NodeTier = 'auto' | 'cpu' | 'gpu';

/**
 * @param threads the node gives to the farm
 * @param found what the engine measured itself on
 * @param asked what the node's owner wants
 */
export function machineLabels(
  threads: number,
  found: 'cpu' | 'gpu',
  asked: NodeTier = 'auto',
): Record<string, number | string[]> {
  return {
    'attr.framewright.tier': found === 'gpu' && asked === 'auto' ? ['cpu', 'gpu'] : [found],
    'amount.worker.vcpu': threads,
    'amount.worker.memory': Math.floor(totalmem() / 2 ** 20),
    'attr.worker.os.family': [FAMILY[platform()] ?? platform()],
    'attr.worker.cpu.arch': [ARCHITECTURE[arch()] ?? arch()],
  };
}
