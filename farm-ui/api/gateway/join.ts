/** A machine joins: it knows the farm's join token and holds the key of the account that will be paid. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { verifyMessage } from 'ethers';
import { FarmError } from '../../../domain/errors.ts';
import { joinNode } from '../../../ports/db/nodes.ts';
import { type JoinAnswer, type JoinRequest, joinMessage } from '../../../ports/gateway/protocol.ts';
import type { ApiDeps } from '../deps.ts';
import { hashKey } from '../plugins/auth.ts';
import { forgetNode } from './nodeAuth.ts';

/** A signature older or newer than this is none of now: clocks may differ, a recorded join may not be played again. */
const FRESH_MS = 5 * 60_000;

/** @throws FarmError `Unauthenticated` for a wrong token or signature, `Forbidden` when the name is another node's */
export async function join({ database, gateway, clock }: ApiDeps, request: JoinRequest): Promise<JoinAnswer> {
  const { name, site, account, issuedAt, probe, labels } = request;
  if (gateway.joinToken === undefined || !sameSecret(request.joinToken, gateway.joinToken)) {
    throw new FarmError('Unauthenticated', 'The join token is not the one of this farm.', { field: 'joinToken' });
  }
  if (Math.abs(clock.now().getTime() - Date.parse(issuedAt)) > FRESH_MS) {
    throw new FarmError('Unauthenticated', 'The join was not signed just now; set the clock of the machine.', {
      field: 'issuedAt',
    });
  }
  if (signerOf(joinMessage(name, account, issuedAt), request.signature) !== account.toLowerCase()) {
    throw new FarmError('Unauthenticated', "The join is not signed with the account's key.", { field: 'signature' });
  }
  const token = randomBytes(32).toString('base64url');
  const { nodeId } = await database.asService((tx) =>
    joinNode(tx, {
      name,
      site,
      account,
      tokenHash: hashKey(token),
      engine: probe.engine,
      engineBuild: probe.build,
      tier: probe.tier,
      device: probe.device,
      threads: probe.threads,
      memoryBytes: probe.memoryBytes,
      score: probe.score,
      labels,
    }),
  );
  forgetNode({ database }, nodeId);
  return { nodeId, token, heartbeatMs: gateway.heartbeatMs, claimWaitMs: gateway.claimWaitMs };
}

function signerOf(message: string, signature: string): string | null {
  try {
    return verifyMessage(message, signature).toLowerCase();
  } catch {
    return null;
  }
}

/** In time that does not depend on where they differ. */
function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(hashKey(one), 'hex'), Buffer.from(hashKey(other), 'hex'));
}
