import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, CircleMinus, CirclePause, CirclePlay, CircleX, MapPin, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { problemOf } from '../api/client.ts';
import { addresses, farm } from '../api/farm.ts';
import type { Me, Problem, Site } from '../api/types.ts';
import { formatAgo, formatBytes, formatRate, plural } from '../lib/format.ts';
import { useChanges } from '../live/useChanges.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Empty, Skeleton } from '../ui/Empty.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { useNow } from '../ui/useNow.ts';
import { useTitle } from '../ui/useTitle.ts';

const STATUS = {
  online: { icon: CircleCheck, word: 'Online', tone: 'done' },
  draining: { icon: CircleMinus, word: 'Draining', tone: 'ask' },
  lost: { icon: CircleX, word: 'Lost', tone: 'bad' },
  removed: { icon: CircleX, word: 'Removed', tone: 'idle' },
} as const;

type Change = 'draining' | 'online' | 'removed';

/** Places that render and store: where they are, what their links carry, what they hold. Operators steer them. */
export function SitesPage({ me }: { me: Me }) {
  useTitle('Sites');
  const sites = useQuery({ queryKey: ['sites'], queryFn: farm.sites });
  useChanges('sites', addresses.siteEvents);
  const now = useNow(10_000);
  const items = sites.data?.items ?? [];
  const online = items.filter(({ status }) => status === 'online').length;
  return (
    <main className="page">
      <header className="page-head">
        <h1>Sites</h1>
        {sites.data && (
          <p className="count">
            {online} of {plural(items.length, 'site')} online
            {items.some(({ storedBytes }) => storedBytes !== null) &&
              `, ${formatBytes(items.reduce((sum, { storedBytes }) => sum + (storedBytes ?? 0), 0))} stored`}
          </p>
        )}
      </header>
      {sites.isPending && <Skeleton lines={3} height={96} />}
      {sites.isError && <ProblemNote problem={problemOf(sites.error)} />}
      {sites.data && items.length === 0 && (
        <Empty icon={<MapPin size={28} />} title="No site">
          Run “farm site add” to register one.
        </Empty>
      )}
      <ul className="nodes">
        {items.map((site) => (
          <SiteCard key={site.id} site={site} now={now} maySteer={me.role === 'operator'} />
        ))}
      </ul>
    </main>
  );
}

function SiteCard({ site, now, maySteer }: { site: Site; now: Date; maySteer: boolean }) {
  const { icon: Icon, word, tone } = STATUS[site.status];
  return (
    <li className="panel node site" aria-label={`Site ${site.name}`}>
      <header>
        <h2>{site.name}</h2>
        <span className={`status tone-${tone}`}>
          <Icon size={14} aria-hidden="true" />
          {word}
        </span>
      </header>
      <p className="node-device">
        {[countryName(site.country), storeText(site)].filter((text) => text !== null).join(', ')}
      </p>
      <dl className="facts">
        <div>
          <dt>Nodes online</dt>
          <dd className="mono">
            {site.nodesOnline} of {site.nodes}
          </dd>
        </div>
        <div>
          <dt>Link towards the site</dt>
          <dd className="mono">{formatRate(site.linkDownBytes)}</dd>
        </div>
        <div>
          <dt>Link away from it</dt>
          <dd className="mono">{formatRate(site.linkUpBytes)}</dd>
        </div>
        <div>
          <dt>Price of work</dt>
          <dd className="mono">{site.priceFactor === 1 ? 'tariff' : `tariff × ${site.priceFactor}`}</dd>
        </div>
        {site.storedBytes !== null && (
          <div>
            <dt>Stored</dt>
            <dd className="mono">{formatBytes(site.storedBytes)}</dd>
          </div>
        )}
        {site.lastSeenAt !== null && site.kind === 'edge' && (
          <div>
            <dt>Last heard</dt>
            <dd>{formatAgo(site.lastSeenAt, now)}</dd>
          </div>
        )}
      </dl>
      {maySteer && <SiteActions site={site} />}
    </li>
  );
}

const QUESTIONS: Record<Change, { title: string; yes: string; no: string }> = {
  draining: { title: 'Drain', yes: 'Yes, drain', no: 'Keep it online' },
  online: { title: 'Resume', yes: 'Yes, resume', no: 'Leave it draining' },
  removed: { title: 'Remove', yes: 'Yes, remove', no: 'Keep the site' },
};

function SiteActions({ site }: { site: Site }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState<Change | null>(null);
  const [busy, setBusy] = useState<Change | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const change = async (status: Change): Promise<void> => {
    setAsked(null);
    setBusy(status);
    setProblem(null);
    try {
      await farm.changeSite(site.name, { status });
      await client.invalidateQueries({ queryKey: ['sites'] });
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(null);
    }
  };
  const question = asked && QUESTIONS[asked];
  return (
    <>
      {problem && <ProblemNote problem={problem} />}
      <div className="site-actions">
        {site.status === 'draining' ? (
          <Button icon={<CirclePlay size={15} />} busy={busy === 'online'} onClick={() => setAsked('online')}>
            Resume
          </Button>
        ) : (
          <Button
            icon={<CirclePause size={15} />}
            busy={busy === 'draining'}
            disabled={site.status !== 'online'}
            onClick={() => setAsked('draining')}
          >
            Drain
          </Button>
        )}
        {site.kind === 'edge' && (
          <Button
            tone="danger"
            icon={<Trash2 size={15} />}
            busy={busy === 'removed'}
            onClick={() => setAsked('removed')}
          >
            Remove
          </Button>
        )}
      </div>
      <Dialog
        open={question !== null}
        title={`${question?.title ?? ''} ${site.name}?`}
        onClose={() => setAsked(null)}
        footer={
          <>
            <Button onClick={() => setAsked(null)}>{question?.no}</Button>
            <Button tone={asked === 'removed' ? 'danger' : 'primary'} onClick={() => asked && void change(asked)}>
              {question?.yes}
            </Button>
          </>
        }
      >
        <p>{asked && consequence(asked, site)}</p>
      </Dialog>
    </>
  );
}

function consequence(change: Change, { nodes, hasStore, storedBytes }: Site): string {
  if (change === 'online') return 'The site takes new chunks again.';
  if (change === 'draining') {
    return 'Its nodes finish what they have and get no new chunks until the site is resumed. What is stored there stays.';
  }
  const parts = [
    nodes > 0 ? `${plural(nodes, 'node')} will have left and must join anew.` : '',
    hasStore
      ? `The farm forgets how the store is reached: ${storedBytes === null ? 'what lies' : `the ${formatBytes(storedBytes)}`} there can be fetched no more.`
      : '',
    'While jobs that are not over have work there, or frames lie there that no studio has fetched, this is refused. The site can be registered again.',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function storeText({ kind, hasStore, hasAgent }: Site): string {
  if (kind === 'home') return "the farm's own site";
  if (!hasStore) return 'no store of its own';
  return hasAgent ? 'own store, frames verified there' : 'own store';
}

const countries = new Intl.DisplayNames('en', { type: 'region' });

/** `Germany (DE)`, or null for a site of unknown country. */
function countryName(code: string | null): string | null {
  if (code === null) return null;
  const name = countries.of(code);
  return name === undefined || name === code ? code : `${name} (${code})`;
}
