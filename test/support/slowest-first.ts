/**
 * Order of the test files: the slowest ones first. One of them begun last would run alone, with the other cores idle. vitest
 * remembers how long files took, but a fresh clone has nothing to remember.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By how long they take on two cores, longest first. */
const SLOWEST = [
  'renderer/pathtracer/wgsl/pictures.test.ts',
  'workflows/renderJob.stack.test.ts',
  'contracts/contracts.test.ts',
  'test/stack/supervisor.test.ts',
  'renderer/pathtracer/wgsl/scattering.test.ts',
];

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = SLOWEST.findIndex((path) => moduleId.endsWith(`/${path}`));
      return found < 0 ? SLOWEST.length : found;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
