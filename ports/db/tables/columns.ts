/** Kinds of columns that many tables share. */
import type { ColumnType, Generated } from 'kysely';
import type { JsonText } from '../documents.ts';

/** A jsonb column: read as `T`, written with `json()`. */
export type Json<T> = ColumnType<T, JsonText, JsonText>;
/** The same with a default. */
export type JsonDefault<T> = ColumnType<T, JsonText | undefined, JsonText>;
/** A jsonb column that may be null. */
export type JsonNullable<T> = ColumnType<T | null, JsonText | null | undefined, JsonText | null>;
export type GeneratedTime = Generated<Date>;

/** Which token an amount is in; on every money row. */
export interface TokenColumns {
  chainId: number;
  /** Settlement contract. */
  contract: string;
  token: string;
  tokenDecimals: number;
}
