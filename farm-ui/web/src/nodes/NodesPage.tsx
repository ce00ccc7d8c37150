import { useQuery } from '@tanstack/react-query';
import { Aperture, CircleCheck, CircleDashed, CircleMinus, CircleX, Server } from 'lucide-react';
import { problemOf } from '../api/client.ts';
import { addresses, farm } from '../api/farm.ts';
import type { FarmNode, Me } from '../api/types.ts';
import { formatAgo, formatBytes, plural } from '../lib/format.ts';
import { useChanges } from '../live/useChanges.ts';
import { Copy } from '../ui/Copy.tsx';
import { Empty, Skeleton } from '../ui/Empty.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { useNow } from '../ui/useNow.ts';
import { useTitle } from '../ui/useTitle.ts';

const STATUS = {
  online: { icon: CircleCheck, word: 'Online', tone: 'done' },
  offline: { icon: CircleX, word: 'Offline', tone: 'idle' },
  draining: { icon: CircleMinus, word: 'Draining', tone: 'ask' },
  left: { icon: CircleDashed, word: 'Left', tone: 'idle' },
} as const;

/** Machines that render: what they are, how fast they measured, whether they work. */
export function NodesPage({ me }: { me: Me }) {
  useTitle('Nodes');
  const nodes = useQuery({ queryKey: ['nodes'], queryFn: farm.nodes });
  // Machines come and go for everybody; what a studio's jobs give them to do only the studio hears of.
  useChanges('nodes', addresses.siteEvents);
  useChanges('nodes', me.studio ? addresses.allEvents : null);
  const now = useNow(10_000);
  const items = nodes.data?.items ?? [];
  const best = Math.max(1e-9, ...items.map(({ score }) => score));
  const online = items.filter(({ status }) => status === 'online').length;
  const working = items.filter((node) => node.working).length;
  return (
    <main className="page">
      <header className="page-head">
        <h1>Nodes</h1>
        {nodes.data && (
          <p className="count">
            {online} online, {working} working
          </p>
        )}
      </header>
      {nodes.isPending && <Skeleton lines={4} height={64} />}
      {nodes.isError && <ProblemNote problem={problemOf(nodes.error)} />}
      {nodes.data && items.length === 0 && (
        <Empty icon={<Server size={28} />} title="No node has joined">
          Run “farm node join” on a machine that shall render.
        </Empty>
      )}
      <ul className="nodes">
        {items.map((node) => (
          <NodeCard key={node.id} node={node} best={best} now={now} />
        ))}
      </ul>
    </main>
  );
}

function NodeCard({ node, best, now }: { node: FarmNode; best: number; now: Date }) {
  const { icon: Icon, word, tone } = STATUS[node.status];
  const working = node.working && node.status === 'online';
  return (
    <li className="panel node">
      <header>
        <h2>{node.name}</h2>
        <span className={`status tone-${working ? 'live' : tone}`}>
          {working ? (
            <Aperture size={14} aria-hidden="true" className="turning" />
          ) : (
            <Icon size={14} aria-hidden="true" />
          )}
          {working ? 'Working' : word}
        </span>
      </header>
      <p className="node-device">{node.device}</p>
      <div className="score">
        <span>Score</span>
        <span className="score-bar" aria-hidden="true">
          <span style={{ transform: `scaleX(${node.score / best})` }} />
        </span>
        <strong>{node.score.toFixed(node.score < 10 ? 2 : 0)}</strong>
      </div>
      <dl className="facts">
        <div>
          <dt>Site</dt>
          <dd>{node.site}</dd>
        </div>
        <div>
          <dt>Tier</dt>
          <dd>
            {node.tier}, {plural(node.threads, 'thread')}, {formatBytes(node.memoryBytes)}
          </dd>
        </div>
        <div>
          <dt>Account</dt>
          <dd>
            <Copy value={node.account} label={`account of ${node.name}`} head={6} tail={4} />
          </dd>
        </div>
        <div>
          <dt>Last heard</dt>
          <dd>{formatAgo(node.lastSeenAt, now)}</dd>
        </div>
      </dl>
    </li>
  );
}
