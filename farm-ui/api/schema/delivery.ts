/** Shapes of the delivery to the studio. */
import { z } from 'zod';

const hash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe('SHA-256 of the EXR as it arrived, lower-case hex');

export const deliveryNote = z.object({
  frames: z
    .array(z.object({ unitId: z.uuid(), hash }))
    .min(1)
    .max(1_000),
});
export const delivery = z.object({
  status: z
    .enum(['on-demand', 'awaited', 'overdue', 'delivered'])
    .describe(
      'on-demand: fetched when the studio likes; awaited: the job ends when all is acknowledged; overdue: it ended before that',
    ),
  delivered: z.int().describe('Frames that the studio has acknowledged'),
  of: z.int().describe('Frames that there are to deliver'),
  at: z.iso.datetime({ offset: true }).nullable().describe('When the last of them was acknowledged'),
});
