/** Shapes of what operators ask of the stores. */
import { z } from 'zod';

export const garbageRequest = z.object({
  dryRun: z.boolean().optional().describe('Only look; nothing is removed'),
});
export const garbageReport = z.object({
  dryRun: z.boolean(),
  evicted: z.int().describe('Entries of the frame cache that were too old or too many'),
  places: z.array(
    z.object({
      site: z.string().nullable().describe("Null: the farm's own store"),
      seen: z.int().describe('Objects that the store holds'),
      objects: z.int().describe('Objects that nothing names'),
      bytes: z.int(),
      unreachable: z.boolean(),
    }),
  ),
});
