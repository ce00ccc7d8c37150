/**
 * How things of the farm are named on chain: a UUID is left-padded with zeros to 32 bytes, so that anyone can read one
 * from the other; a node is the address of its key. The operator's signature on the quote keeps others from taking a job's id.
 */
import { FarmError } from '../errors.ts';

/**
 * A job's or unit's UUID as `bytes32`.
 * @throws FarmError `RequestInvalid` when it is no UUID
 */
export function chainId32(uuid: string): string {
  const hex = uuid.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/.test(hex)) throw new FarmError('RequestInvalid', `"${uuid}" is not a UUID.`, { id: uuid });
  return `0x${hex.padStart(64, '0')}`;
}

/**
 * The way back.
 * @throws FarmError `ChainMismatch` when it is not a padded UUID
 */
export function uuidOfChainId(value: string): string {
  const match = /^0x0{32}([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(value.toLowerCase());
  if (!match) throw new FarmError('ChainMismatch', `${value} on chain is no id of this farm.`, { id: value });
  return match.slice(1).join('-');
}
