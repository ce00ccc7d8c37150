/** Which runs a benchmark consists of, and how their reports become one. */
import type { CentreAndEdge, EdgeProject, EdgeReport, RunParameters, RunReport } from './edgeReport.ts';
import type { EdgeOptions, Part } from './options.ts';

/** A run by the name under which the report finds it again. */
export interface PlannedRun {
  name: string;
  parameters: RunParameters;
}

/** Frames of all runs but main, the wide centre and the sweeps: enough to show the effect, few enough to keep the whole short. */
const CONTROL_FRAMES = 3;
/** Frames of the sweeps, at least one a site. */
const SWEEP_FRAMES = 10;
const WIDER = 10;
const MAIN_CENTRE = 'main.centre';
const WIDE_CENTRE = 'wideCentre';
/** The studio's link in the sweep, as multiples of a site's: never narrower than that. */
const STUDIO_LINKS = [1, 3] as const;
/** A centre whose own link is no wider than the studio's waits for its own: the run without any bound on the studio's stands for it. */
const STUDIO_LINK_CENTRE = 'uncompressed.centre';
/** Values of the sweeps: sites, Mbit/s of a link, seconds a frame. */
const SWEPT = { sites: [1, 2, 5], link: [50, 200, 1000], render: [0, 10, 60] };

/** All runs of what was asked for, each once, in order. */
export function planRuns(options: EdgeOptions): PlannedRun[] {
  const { size, linkMbits, sites, engine, renderSeconds, project, frames } = options;
  const base: Omit<RunParameters, 'topology' | 'sites' | 'nodesPerSite'> = {
    ...{ size, linkMbits, engine, renderSeconds, project, frames },
    ...{ studioLinkMbits: null, compressed: false },
  };
  const centre = (changes: Partial<RunParameters> = {}): RunParameters => ({
    ...{ ...base, topology: 'centre', sites: 1, nodesPerSite: sites },
    ...changes,
  });
  const edge = (changes: Partial<RunParameters> = {}): RunParameters => ({
    ...{ ...base, topology: 'edge', sites, nodesPerSite: 1 },
    ...changes,
  });
  const pair = (name: string, changes: Partial<RunParameters>): PlannedRun[] => [
    { name: `${name}.centre`, parameters: centre(changes) },
    { name: `${name}.edge`, parameters: edge(changes) },
  ];
  const few = { frames: Math.min(frames, CONTROL_FRAMES) };
  const swept = { frames: Math.min(frames, Math.max(sites, SWEEP_FRAMES)) };
  const runs: Record<Part, PlannedRun[]> = {
    main: pair('main', {}),
    centre: [{ name: MAIN_CENTRE, parameters: centre() }],
    edge: [{ name: 'main.edge', parameters: edge() }],
    compressed: [...pair('uncompressed', few), ...pair('compressed', { compressed: true, ...few })],
    'all-shared': project === 'all-shared' ? [] : pair('allShared', { project: 'all-shared', ...few }),
    'wide-centre': [{ name: WIDE_CENTRE, parameters: centre({ linkMbits: linkMbits * WIDER }) }],
    'sweep-sites': SWEPT.sites.flatMap((count) => [
      { name: `sites${count}.centre`, parameters: centre({ nodesPerSite: count, ...swept }) },
      { name: `sites${count}.edge`, parameters: edge({ sites: count, ...swept }) },
    ]),
    'sweep-link': SWEPT.link.flatMap((mbits) => pair(`link${mbits}`, { linkMbits: mbits, ...swept })),
    'sweep-render': SWEPT.render.flatMap((seconds) => pair(`render${seconds}`, { renderSeconds: seconds, ...swept })),
    // Measured apart, by `costs.ts`.
    costs: [],
    'studio-link': [
      { name: STUDIO_LINK_CENTRE, parameters: centre(few) },
      ...STUDIO_LINKS.map((factor) => ({
        name: `studioLink${factor}.edge`,
        parameters: edge({ studioLinkMbits: linkMbits * factor, ...few }),
      })),
    ],
  };
  const wanted = new Map(options.parts.flatMap((part) => runs[part]).map((run) => [run.name, run]));
  return [...wanted.values()].sort((a, b) => placeOf(a) - placeOf(b));
}

/**
 * Centres before edges, so that no programs of the one wait beside those of the other where the machine is short; the wide
 * centre, which needs the machine most, before the sites are made ready during the long run of the main one.
 */
function placeOf({ name, parameters }: PlannedRun): number {
  if (name === WIDE_CENTRE) return 0;
  if (name === MAIN_CENTRE) return 1;
  return parameters.topology === 'centre' ? 2 : 3;
}

/** The projects that runs need. */
export const projectsOf = (runs: readonly PlannedRun[]): EdgeProject[] => [
  ...new Set(runs.map(({ parameters }) => parameters.project)),
];

/** Sorts reports into their places; what is not there is null, with its reason. */
export function collect(
  done: ReadonlyMap<string, RunReport>,
  failures: ReadonlyMap<string, string>,
): Pick<
  EdgeReport,
  | 'centre'
  | 'edge'
  | 'ratio'
  | 'limitRatio'
  | 'compressed'
  | 'uncompressed'
  | 'allShared'
  | 'controls'
  | 'sweeps'
  | 'reasons'
> {
  const reasons: Record<string, string> = {};
  const single = (name: string, place: string): RunReport | null => {
    const report = done.get(name) ?? null;
    if (!report) reasons[place] = failures.get(name) ?? 'This part was not asked for.';
    return report;
  };
  const both = (name: string, place: string, centreName = `${name}.centre`): CentreAndEdge | null => {
    const [centre, edge] = [single(centreName, place), single(`${name}.edge`, place)];
    return centre && edge ? { centre, edge } : null;
  };
  const [centre, edge] = [single('main.centre', 'centre'), single('main.edge', 'edge')];
  /** All of a sweep or nothing. */
  const swept = (names: readonly string[], place: string, centreName?: string): CentreAndEdge[] | null => {
    const found = names.map((name) => both(name, place, centreName)).filter((one) => one !== null);
    return found.length === names.length ? found : null;
  };
  const studioLinks = STUDIO_LINKS.map((factor) => `studioLink${factor}`);
  return {
    ...{ centre, edge },
    ratio: centre && edge ? centre.seconds / edge.seconds : null,
    limitRatio: centre && edge ? centre.limitSeconds / edge.limitSeconds : null,
    compressed: both('compressed', 'compressed'),
    uncompressed: both('uncompressed', 'compressed'),
    allShared: both('allShared', 'allShared'),
    controls: {
      wideCentre: single(WIDE_CENTRE, 'controls.wideCentre'),
      studioLinkSweep: swept(studioLinks, 'controls.studioLinkSweep', STUDIO_LINK_CENTRE),
    },
    sweeps: {
      sites: swept(
        SWEPT.sites.map((count) => `sites${count}`),
        'sweeps.sites',
      ),
      link: swept(
        SWEPT.link.map((mbits) => `link${mbits}`),
        'sweeps.link',
      ),
      render: swept(
        SWEPT.render.map((seconds) => `render${seconds}`),
        'sweeps.render',
      ),
    },
    reasons,
  };
}
