import { useQuery } from '@tanstack/react-query';
import { LogOut } from 'lucide-react';
import { problemOf } from '../api/client.ts';
import { farm } from '../api/farm.ts';
import type { Me } from '../api/types.ts';
import { formatToken } from '../lib/money.ts';
import { Button } from '../ui/Button.tsx';
import { Copy } from '../ui/Copy.tsx';
import { Skeleton } from '../ui/Empty.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';
import { Segmented } from '../ui/Segmented.tsx';
import { type Theme, useTheme } from '../ui/useTheme.ts';
import { useTitle } from '../ui/useTitle.ts';

const ROLES: Record<Me['role'], string> = {
  artist: 'Artist',
  td: 'Pipeline TD',
  finance: 'Finance',
  operator: 'Operator',
  node: 'Node owner',
};

const THEMES: { value: Theme; text: string }[] = [
  { value: 'system', text: 'System' },
  { value: 'dark', text: 'Dark' },
  { value: 'light', text: 'Light' },
];

/** Who is signed in, what the studio's account holds, what the farm charges. */
export function AccountPage({ me, onSignOut }: { me: Me; onSignOut: () => void }) {
  useTitle('Account');
  const info = useQuery({ queryKey: ['farm'], queryFn: farm.info });
  const [theme, setTheme] = useTheme();
  return (
    <main className="page narrow">
      <header className="page-head">
        <h1>{me.studio?.name ?? 'Account'}</h1>
        <Button icon={<LogOut size={15} />} onClick={onSignOut}>
          Sign out
        </Button>
      </header>
      {info.isPending && <Skeleton lines={4} height={20} />}
      {info.isError && <ProblemNote problem={problemOf(info.error)} />}
      {info.data && (
        <>
          {me.balance !== null && (
            <section className="panel balance" aria-label="Balance">
              <p>Balance outside escrow</p>
              <strong>{formatToken(me.balance, info.data.token)}</strong>
            </section>
          )}
          <section className="panel" aria-label="Details">
            <dl className="facts wide">
              <div>
                <dt>Role</dt>
                <dd>{ROLES[me.role]}</dd>
              </div>
              {me.studio && (
                <>
                  <div>
                    <dt>Studio account</dt>
                    <dd>
                      <Copy value={me.studio.account} label="studio account" />
                    </dd>
                  </div>
                  <div>
                    <dt>Invoices in</dt>
                    <dd>{me.studio.currency}</dd>
                  </div>
                </>
              )}
              <div>
                <dt>Price of a FarmBench-hour</dt>
                <dd>{formatToken(info.data.pricePerFbh, info.data.token)}</dd>
              </div>
              <div>
                <dt>Token</dt>
                <dd>
                  {info.data.token.symbol} on chain {info.data.token.chainId},{' '}
                  <Copy value={info.data.token.address} label="token address" head={6} tail={4} />
                </dd>
              </div>
              <div>
                <dt>Farm version</dt>
                <dd className="mono">{info.data.version}</dd>
              </div>
            </dl>
          </section>
        </>
      )}
      <section className="panel row" aria-label="Appearance">
        <span>Appearance</span>
        <Segmented label="Appearance" value={theme} options={THEMES} onChange={setTheme} />
      </section>
    </main>
  );
}
