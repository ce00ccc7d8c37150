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

export const checkRequest = z.object({
  cursor: z.string().max(500).optional().describe('`nextCursor` of the round before; left out begins'),
  repair: z.boolean().optional().describe('Mend what is wrong from another copy'),
});
export const checkReport = z.object({
  checked: z.int().describe('Objects read and hashed in this round'),
  damages: z.array(
    z.object({
      kind: z.enum(['blobs', 'frames', 'outputs']),
      hash: z.string(),
      studioId: z.uuid(),
      siteId: z.uuid().nullable().describe("Null: the farm's own store"),
      site: z.string().nullable().describe("Its name. Null: the farm's own store"),
      copy: z.boolean().describe('A copy beside the one of record'),
      condition: z.enum(['missing', 'wrong']),
      outcome: z.enum(['copied', 'forgotten', 'kept']).describe('Whole again; a copy given up; as it was found'),
      recoverable: z.boolean().describe('Another place has the right bytes'),
      namedBy: z.array(
        z.object({
          name: z.string().describe('Project or job'),
          of: z.string().describe('Version of the project, id of the job'),
          path: z.string(),
          offset: z.int().describe("Where in that file the object's bytes begin"),
        }),
      ),
    }),
  ),
  unreachable: z.array(z.string()).describe('Names of sites (`home` for the own store) that did not answer'),
  nextCursor: z.string().nullable(),
});
