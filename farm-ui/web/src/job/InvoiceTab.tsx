import { useMutation, useQuery } from '@tanstack/react-query';
import { BadgeCheck, CircleX, FileSpreadsheet, FileText, ReceiptText, ShieldQuestion } from 'lucide-react';
import { problemOf } from '../api/client.ts';
import { addresses, farm } from '../api/farm.ts';
import type { Invoice, Verification } from '../api/types.ts';
import { formatMoment, plural } from '../lib/format.ts';
import { formatCents, formatToken, formatUnits } from '../lib/money.ts';
import { useJobPart } from '../live/useJob.ts';
import { Button } from '../ui/Button.tsx';
import { Copy } from '../ui/Copy.tsx';
import { Empty, Skeleton } from '../ui/Empty.tsx';
import { ProblemNote } from '../ui/ProblemNote.tsx';

/** The job's invoice, line by line, and whether chain and store bear it out. */
export function InvoiceTab() {
  const store = useJobPart('job');
  const invoice = useQuery({
    queryKey: ['invoice', store.id, store.invoicesSeen, store.job?.status],
    queryFn: () => farm.invoice(store.id),
    placeholderData: (before) => before,
    retry: false,
  });
  const verify = useMutation({ mutationFn: () => farm.verifyInvoice(store.id) });
  if (invoice.isPending) return <Skeleton lines={8} height={22} />;
  if (invoice.isError) {
    const problem = problemOf(invoice.error);
    if (problem.status !== 404) return <ProblemNote problem={problem} />;
    return (
      <Empty icon={<ReceiptText size={28} />} title="No invoice yet">
        It is written when the job settles, with a line for each node and chunk.
      </Empty>
    );
  }
  const { data } = invoice;
  return (
    <div className="invoice">
      <section className="panel invoice-head" aria-label="Invoice">
        <header>
          <div>
            <h2 className="mono">{data.number}</h2>
            <p>
              {formatMoment(data.issuedAt)}, {data.jobName}
            </p>
          </div>
          <ProofStatus invoice={data} verification={verify.data} />
        </header>
        <Parties invoice={data} />
        <Totals invoice={data} />
        <div className="invoice-actions">
          <Button
            tone="primary"
            icon={<BadgeCheck size={15} />}
            busy={verify.isPending}
            onClick={() => verify.mutate()}
          >
            Verify
          </Button>
          <a className="button plain" href={addresses.invoicePdf(store.id)} download>
            <FileText size={15} aria-hidden="true" /> <span>PDF</span>
          </a>
          <a className="button plain" href={addresses.invoiceCsv(store.id)} download>
            <FileSpreadsheet size={15} aria-hidden="true" /> <span>CSV</span>
          </a>
        </div>
        {verify.isError && <ProblemNote problem={problemOf(verify.error)} />}
        {verify.data && <Checks verification={verify.data} />}
      </section>
      <Lines invoice={data} verification={verify.data} />
      <section className="panel" aria-label="On chain">
        <dl className="facts wide">
          <div>
            <dt>Root of the lines</dt>
            <dd>
              <Copy value={data.root} label="root" head={14} tail={8} />
            </dd>
          </div>
          <div>
            <dt>Transaction</dt>
            <dd>
              {data.transaction === null ? (
                'not posted yet'
              ) : (
                <Copy value={data.transaction} label="transaction" head={14} tail={8} />
              )}
            </dd>
          </div>
          <div>
            <dt>Settlement contract</dt>
            <dd>
              <Copy value={data.settlement} label="settlement contract" head={10} tail={6} /> on chain{' '}
              {data.token.chainId}
            </dd>
          </div>
          <div>
            <dt>Rate</dt>
            <dd className="mono">
              {formatCents(Math.round(data.centsPerTokenE6 / 1e6), data.currency)} a {data.token.symbol},{' '}
              {formatMoment(data.rateAt)}
            </dd>
          </div>
        </dl>
      </section>
    </div>
  );
}

function ProofStatus({ invoice, verification }: { invoice: Invoice; verification: Verification | undefined }) {
  if (verification) {
    return (
      <span className={`status big tone-${verification.ok ? 'done' : 'bad'}`} role="status">
        {verification.ok ? <BadgeCheck size={17} aria-hidden="true" /> : <CircleX size={17} aria-hidden="true" />}
        {verification.ok ? 'Verified' : 'Does not verify'}
      </span>
    );
  }
  const words = { issued: 'Issued', posted: 'Posted on chain', paid: 'Paid' } as const;
  return (
    <span className="status big tone-idle" role="status">
      <ShieldQuestion size={17} aria-hidden="true" />
      {words[invoice.status]}, not verified here
    </span>
  );
}

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');

function Parties({ invoice }: { invoice: Invoice }) {
  return (
    <div className="parties">
      {(['seller', 'buyer'] as const).map((side) => (
        <div key={side}>
          <h3>{side === 'seller' ? 'From' : 'To'}</h3>
          {Object.entries(invoice[side])
            .map(([key, value]) => [key, text(value)] as const)
            .filter(([, value]) => value !== '' && !/^0x/.test(value))
            .slice(0, 6)
            .map(([key, value]) => (
              <p key={key}>{value}</p>
            ))}
        </div>
      ))}
    </div>
  );
}

function Totals({ invoice }: { invoice: Invoice }) {
  const { token, currency } = invoice;
  return (
    <dl className="totals">
      <div>
        <dt>Net</dt>
        <dd className="mono">{formatCents(invoice.netCents, currency)}</dd>
      </div>
      <div>
        <dt>Tax {invoice.taxBasisPoints / 100} %</dt>
        <dd className="mono">{formatCents(invoice.taxCents, currency)}</dd>
      </div>
      <div className="gross">
        <dt>Total</dt>
        <dd className="mono">{formatCents(invoice.grossCents, currency)}</dd>
      </div>
      <div>
        <dt>Paid in {token.symbol}</dt>
        <dd className="mono">{formatToken(invoice.total, token)}</dd>
      </div>
      <div>
        <dt>Deposited</dt>
        <dd className="mono">{formatToken(invoice.deposited, token)}</dd>
      </div>
      <div>
        <dt>Refunded</dt>
        <dd className="mono">{formatToken(invoice.refunded, token)}</dd>
      </div>
    </dl>
  );
}

function Checks({ verification }: { verification: Verification }) {
  return (
    <ul className="checks" aria-label="Checks">
      {verification.checks.map((check) => (
        <li key={check.name} className={check.ok ? 'tone-done' : 'tone-bad'}>
          {check.ok ? <BadgeCheck size={15} aria-hidden="true" /> : <CircleX size={15} aria-hidden="true" />}
          <span>
            <strong>{check.name}</strong> <span>{check.detail}</span>
            <span className="hidden">{check.ok ? ' holds' : ' fails'}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

function Lines({ invoice, verification }: { invoice: Invoice; verification: Verification | undefined }) {
  const verdicts = new Map(verification?.lines.map((line) => [line.line, line]));
  return (
    <section className="panel lines" aria-label="Lines">
      <table>
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Node</th>
            <th scope="col">Frames</th>
            <th scope="col" className="number">
              {invoice.token.symbol}
            </th>
            <th scope="col" className="number">
              {invoice.currency}
            </th>
            <th scope="col">Leaf</th>
            <th scope="col">Proof</th>
          </tr>
        </thead>
        <tbody>
          {invoice.lines.map((line) => {
            const verdict = verdicts.get(line.line);
            return (
              <tr key={line.line}>
                <td className="mono">{line.line}</td>
                <td>{line.node}</td>
                <td className="mono" title={plural(line.units.length, 'unit')}>
                  {line.frames}
                </td>
                <td className="mono number">{formatUnits(line.amount, invoice.token.decimals, 6)}</td>
                <td className="mono number">{formatCents(line.netCents, invoice.currency)}</td>
                <td>
                  <Copy value={line.leaf} label={`leaf of line ${line.line}`} head={8} tail={4} />
                </td>
                <td>
                  {verdict ? (
                    <span
                      className={`status tone-${verdict.proof && verdict.frames ? 'done' : 'bad'}`}
                      title={verdict.detail}
                    >
                      {verdict.proof && verdict.frames ? (
                        <BadgeCheck size={14} aria-hidden="true" />
                      ) : (
                        <CircleX size={14} aria-hidden="true" />
                      )}
                      {verdict.proof ? (verdict.frames ? 'holds' : 'frames differ') : 'fails'}
                    </span>
                  ) : (
                    <span className="faint">{plural(line.proof.length, 'step')}</span>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
