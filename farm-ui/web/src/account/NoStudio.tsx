import { Clapperboard, MapPin, Server } from 'lucide-react';
import { Link } from 'wouter';
import { Empty } from '../ui/Empty.tsx';
import { useTitle } from '../ui/useTitle.ts';

/** What an operator's key finds where a studio's jobs would be. */
export function NoStudio() {
  useTitle('Jobs');
  return (
    <main className="page">
      <header className="page-head">
        <h1>Jobs</h1>
      </header>
      <Empty
        icon={<Clapperboard size={28} />}
        title="This key belongs to no studio"
        action={
          <div className="empty-actions">
            <Link href="/nodes" className="button">
              <Server size={16} aria-hidden="true" /> <span>Nodes</span>
            </Link>
            <Link href="/sites" className="button">
              <MapPin size={16} aria-hidden="true" /> <span>Sites</span>
            </Link>
          </div>
        }
      >
        Jobs are seen with a key of the studio that they belong to. An operator’s key looks after nodes and sites.
      </Empty>
    </main>
  );
}
