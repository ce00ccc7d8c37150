/** Some questions are about the whole farm; asked with one studio's eyes they would be answered wrongly. */
import { sql } from 'kysely';
import { FarmError } from '../../../domain/errors.ts';
import type { Tx } from '../client.ts';

/** @throws FarmError `Internal` unless the transaction is the farm's own (`Database.asService`) */
export async function requireService(tx: Tx, question: string): Promise<void> {
  const { rows } = await sql<{ sees: boolean }>`SELECT current_user <> 'farm_app' AS sees`.execute(tx);
  if (rows[0]?.sees !== true) throw new FarmError('Internal', `${question} is asked with asService.`, { question });
}
