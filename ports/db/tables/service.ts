/** What keeps the farm's own work going: orders, repeated requests, the audit log. Columns as `ports/db/tables.ts` says. */
import type { Generated } from 'kysely';
import type { GeneratedTime, Json, JsonDefault, JsonNullable } from './columns.ts';

export interface OutboxTable {
  studioId: string;
  id: Generated<string>;
  topic: string;
  payload: Json<Record<string, unknown>>;
  createdAt: GeneratedTime;
  doneAt: Date | null;
  attempts: Generated<number>;
  lastError: string | null;
}

export interface IdempotencyKeysTable {
  studioId: string;
  key: string;
  requestHash: string;
  status: number | null;
  response: JsonNullable<unknown>;
  createdAt: GeneratedTime;
}

export interface AuditLogTable {
  studioId: string;
  id: Generated<string>;
  at: GeneratedTime;
  actor: string;
  action: string;
  subject: string;
  data: JsonDefault<Record<string, unknown>>;
}
