/**
 * The site agent's protocol, version 1: what the farm asks of the service that a site's operator runs beside the site's
 * store. JSON over HTTP with `Authorization: Bearer <agent token>`. Errors are problem+json with a code of
 * `domain/errors.ts`.
 *
 * | call | answer |
 * |---|---|
 * | POST /v1/verify | `VerifyRequest` → `VerifyAnswer`: the frame was read where it lies; nothing of it crossed the site's link |
 * | GET /v1/frames/:studioId/:hash?expires&signature | the frame, compressed where that helps (`workers/site/sendFrame.ts`); for studios: the signed address (`frameTicket.ts`) is the permission; knows `Range: bytes=N-` of the frame's own bytes |
 * | GET /v1/pictures/:studioId/:hash/:width?expires&signature | the picture beside a frame, no wider than that, as WebP; for farm and studios, signed alike |
 * | GET /v1/health | 200 `{}`; needs no token |
 */
import { z } from 'zod';

/** How the farm reaches a site's agent: where it answers, and the secret that both share. */
export interface AgentAccess {
  url: string;
  token: string;
}

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.object({ hash, sizeBytes: z.int().positive() });

export const verifyRequest = z.object({
  studioId: z.uuid(),
  exr: file,
  preview: file,
  /** Where the job chose another format than the preview's. */
  picture: file.optional(),
  /** `ExpectedFrame` of activities/verify/judgeFrame.ts: what was ordered. */
  expected: z.looseObject({
    width: z.int().positive(),
    height: z.int().positive(),
    output: z.looseObject({ layers: z.array(z.string()) }),
  }),
});

/** `Verdict` of activities/verify/judgeFrame.ts. */
export const verifyAnswer = z.union([
  z.object({
    accepted: z.literal(true),
    warnings: z.array(z.object({ code: z.enum(['Black', 'Duplicate']), message: z.string() })),
  }),
  z.object({
    accepted: z.literal(false),
    reason: z.enum(['Damaged', 'Size', 'Channels', 'NaN']),
    message: z.string(),
  }),
]);

export type VerifyRequest = z.infer<typeof verifyRequest>;
export type VerifyAnswer = z.infer<typeof verifyAnswer>;
