/** Who did what: append-only, read by operators and the studio's own people. */
import type { Tx } from './client.ts';
import { json } from './documents.ts';

export interface AuditInput {
  studioId: string;
  /** `key:<id>`, `node:<id>` or `farm`. */
  actor: string;
  /** Verb with its thing: `job.cancel`, `cap.raise`. */
  action: string;
  /** Id of the thing. */
  subject: string;
  data?: Record<string, unknown> | undefined;
}

export async function audit(tx: Tx, { data = {}, ...entry }: AuditInput): Promise<void> {
  await tx
    .insertInto('auditLog')
    .values({ ...entry, data: json(data) })
    .execute();
}
