/** Links of the lab at the rates that runs ask for: each rate of a link is found and measured once, before the farm starts. */
import { type CalibratedLink, calibrate } from '../../../infra/netlab/calibrate.ts';
import type { Lab } from '../../../infra/netlab/lab.ts';
import type { RunParameters } from './edgeReport.ts';
import { placesOf } from './shapes.ts';

/** Links are measured for so long, and all at once as long as they carry no more than this together. */
const STREAM_MS = 1_000;
const TOGETHER_MBITS = 400;

type LinkWishes = Pick<RunParameters, 'topology' | 'sites' | 'linkMbits' | 'studioLinkMbits'>;

export class Links {
  readonly #lab: Lab;
  /** What was measured, by place and asked rate. */
  readonly #measured: ReadonlyMap<string, CalibratedLink>;
  /** What each link is shaped to now. */
  readonly #set = new Map<string, string>();

  private constructor(lab: Lab, measured: ReadonlyMap<string, CalibratedLink>) {
    this.#lab = lab;
    this.#measured = measured;
  }

  /** Finds and measures what these runs need. Nothing else crosses the lab's links meanwhile. */
  static async measure(lab: Lab, runs: readonly LinkWishes[]): Promise<Links> {
    const ratesOf = new Map<string, Set<number>>();
    for (const run of runs) {
      for (const place of placesOf(run)) {
        ratesOf.set(place, (ratesOf.get(place) ?? new Set()).add(run.linkMbits));
      }
    }
    // A stream from a site crosses the studio's link too, which must not be in the way.
    await lab.shape('studio', null);
    const measured = new Map<string, CalibratedLink>();
    for (const round of roundsOf(ratesOf)) {
      const links = await calibrate(lab, round, { streamMs: STREAM_MS, togetherMbits: TOGETHER_MBITS });
      for (const link of links) measured.set(keyOf(link.link, link.askedMbits), link);
    }
    return new Links(lab, measured);
  }

  /** Sets the links of a run. @returns them as they were measured, the studio's last where it is shaped: as wide as a site's told it to be, not measured */
  async set({ studioLinkMbits, ...run }: LinkWishes): Promise<CalibratedLink[]> {
    const links = placesOf(run).map((place) => this.#measured.get(keyOf(place, run.linkMbits))!);
    for (const { link, askedMbits, tbf } of links) {
      await this.#shape(link, keyOf(link, askedMbits), () => this.#lab.shape(link, tbf));
    }
    if (studioLinkMbits === null) {
      await this.#shape('studio', '', () => this.#lab.shape('studio', null));
      return links;
    }
    const factor = studioLinkMbits / run.linkMbits;
    const { tbf } = links[0]!;
    const rates = { up: tbf.down * factor, down: tbf.up * factor };
    await this.#shape('studio', `${rates.up}/${rates.down}`, () => this.#lab.shape('studio', rates));
    const told = { askedMbits: studioLinkMbits, upMbits: studioLinkMbits, downMbits: studioLinkMbits };
    return [...links, { link: 'studio', tbf: rates, ...told }];
  }

  async #shape(link: string, to: string, shape: () => Promise<void>): Promise<void> {
    if (this.#set.get(link) === to) return;
    this.#set.set(link, to);
    await shape();
  }
}

const keyOf = (place: string, mbits: number): string => `${place}@${mbits}`;

/** One rate of each place that has any left, until none is. */
function roundsOf(ratesOf: ReadonlyMap<string, ReadonlySet<number>>): Map<string, number>[] {
  const most = Math.max(0, ...[...ratesOf.values()].map(({ size }) => size));
  return Array.from(
    { length: most },
    (_, round) =>
      new Map(
        [...ratesOf].flatMap(([place, rates]) => (round < rates.size ? [[place, [...rates][round]!] as const] : [])),
      ),
  );
}
