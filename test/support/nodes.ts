/** Nodes of a test's farm: the real agent, or one by hand that says exactly what the test wants. */
import { Wallet } from 'ethers';
import { pino } from 'pino';
import { JOIN_TOKEN } from '../../farm-ui/api/testing/openApi.ts';
import { createGatewayClient, type GatewayClient } from '../../ports/gateway/client.ts';
import { type AgentOptions, runAgent } from '../../workers/node/agent.ts';
import { signJoin } from '../../workers/node/identity.ts';
import { PROBE, tinyEngine } from './tinyEngine.ts';

export interface TestAgent {
  identity: Wallet;
  /** Rejects when the farm does not take the node. */
  running: Promise<void>;
  /** Waits for its orderly end. */
  stop(): Promise<void>;
}

/** Starts an agent with the tiny engine at the gateway at `url`. */
export function startTestAgent(
  url: string,
  options: Partial<AgentOptions> & Pick<AgentOptions, 'name' | 'home'>,
): TestAgent {
  const shutdown = new AbortController();
  const identity = options.identity ?? newIdentity();
  const running = runAgent(
    {
      ...{ gateway: createGatewayClient(url), engine: tinyEngine(), site: 'local', joinToken: JOIN_TOKEN, threads: 1 },
      ...{ cacheBytes: 2 ** 20, log: pino({ level: 'silent' }) },
      ...options,
      identity,
    },
    shutdown.signal,
  );
  running.catch(() => undefined);
  return {
    identity,
    running,
    stop: async () => {
      shutdown.abort(new Error('the test ends'));
      await running;
    },
  };
}

/** Joins a node without an agent. */
export async function joinByHand(
  url: string,
  name: string,
  site = 'local',
): Promise<{ gateway: GatewayClient; nodeId: string }> {
  const gateway = createGatewayClient(url);
  const identity = newIdentity();
  const issuedAt = new Date().toISOString();
  const { nodeId } = await gateway.join({
    ...{ version: 1, joinToken: JOIN_TOKEN, name, site, account: identity.address, issuedAt, probe: PROBE },
    ...{ signature: await signJoin(identity, name, issuedAt), labels: {} },
  });
  return { gateway, nodeId };
}

const newIdentity = (): Wallet => Wallet.createRandom() as unknown as Wallet;
