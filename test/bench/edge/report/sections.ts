/** What a report of the benchmark says, in the order in which people ask. */
import type { EdgeReport, RunReport } from '../edgeReport.ts';
import { limitOf } from '../limit.ts';
import { SHOT_FRAMES } from '../size.ts';
import { figure, runTable } from './blocks.ts';
import { barChart } from './charts.ts';
import type { Block, ReportDocument, Section } from './document.ts';
import { controls, sweeps } from './sweeps.ts';
import { bound, bytes, duration, percent, placesOf, price, rate, seconds, times } from './words.ts';

/** Above this many links the table names the first and the extremes only in its totals. */
const LINKS_SHOWN = 12;

/**
 * Builds the report.
 * @param model the same runs as the model computes them, on finer grids; drawn as lines beside measured dots
 */
export function documentOf(report: EdgeReport, model?: EdgeReport): ReportDocument {
  return {
    title: report.origin === 'model' ? 'Centre against edge, as the model has it' : 'Centre against edge',
    subtitle: subtitleOf(report),
    banner: bannerOf(report),
    headline: headlineOf(report),
    sections: [
      ...present(result(report)),
      ...present(hardCase(report)),
      ...present(compression(report)),
      ...controls(report, model),
      ...sweeps(report, model),
      ...present(stages(report)),
      ...present(links(report)),
      article(report),
      assumptions(report),
      ...present(machine(report)),
    ],
  };
}

const present = (section: Section | null): Section[] => (section && section.blocks.length > 0 ? [section] : []);

function subtitleOf({ size, linkMbits, sites, engine, renderSeconds, project, startedAt }: EdgeReport): string {
  const what = `${project === 'shot' ? 'a shot' : 'a project that every frame reads whole'} at ${size} of full size`;
  const how = engine === 'replay' ? `${renderSeconds} s a frame` : 'frames traced for real';
  return `${what}, ${sites} sites, links of ${rate(linkMbits)}, ${how}; ${startedAt.slice(0, 10)}`;
}

function bannerOf({ failures, origin, machine: { limitedBy } }: EdgeReport): string | null {
  const parts = [
    origin === 'model' ? 'Every figure here is computed by the model; nothing was measured.' : null,
    failures.length > 0 ? `This run does not count: ${failures.join('; ')}.` : null,
    limitedBy ? `The machine, not the links, was a limit: ${limitedBy}.` : null,
  ].filter((part) => part !== null);
  return parts.length > 0 ? parts.join(' ') : null;
}

function headlineOf({ centre, edge, ratio, limitRatio }: EdgeReport): ReportDocument['headline'] {
  const side = (run: RunReport | null): ReportDocument['headline'] =>
    run
      ? [
          {
            value: duration(run.seconds),
            label: placesOf(run.parameters),
            note: `${percent(run.share)} of what its links allow`,
          },
        ]
      : [];
  const gain =
    ratio === null
      ? []
      : [
          {
            value: times(ratio),
            label: 'faster at the edge',
            note: limitRatio ? `these links allow ${times(limitRatio)}` : '',
          },
        ];
  const perFrame =
    centre && edge
      ? [
          {
            value: price(edge.costPerFrame.amount),
            label: `${edge.costPerFrame.currency} a frame at the edge`,
            note: `${price(centre.costPerFrame.amount)} at the centre`,
          },
        ]
      : [];
  return [...gain, ...side(centre), ...side(edge), ...perFrame];
}

function result({ centre, edge }: EdgeReport): Section | null {
  if (!centre || !edge) return null;
  return {
    title: 'The result',
    blocks: [
      {
        kind: 'text',
        text:
          `The same ${centre.frames} frames of ${bytes(centre.frameBytes)}, the same nodes and the same software on both sides. ` +
          `The centre needs ${duration(centre.seconds)} and waits for ${bound(centre)}. ` +
          `The edge needs ${duration(edge.seconds)} and waits for ${bound(edge)}.`,
      },
      figure(
        'times',
        'Seconds from the first project byte leaving the studio to the last frame checked on its disk. The line across a bar is its limit: what no software could beat on these links.',
        barChart(
          [
            { label: 'centre', side: 'centre', value: centre.seconds, limit: centre.limitSeconds },
            { label: 'edge', side: 'edge', value: edge.seconds, limit: edge.limitSeconds },
          ],
          { unit: 'seconds' },
        ),
        `Centre ${seconds(centre.seconds)}, edge ${seconds(edge.seconds)}.`,
      ),
      runTable([
        ['centre', centre],
        ['edge', edge],
      ]),
    ],
  };
}

function hardCase({ allShared, project }: EdgeReport): Section | null {
  if (!allShared || project === 'all-shared') return null;
  const { centre, edge } = allShared;
  const { frames } = centre.parameters;
  const limitOfAll = ({ parameters, frameBytes, projectBytes }: RunReport): number =>
    limitOf({ ...parameters, frameBytes, sharedBytes: projectBytes.shared, ownBytes: 0, frames: SHOT_FRAMES }).seconds;
  return {
    title: 'The hard case: every frame reads all of the project',
    blocks: [
      {
        kind: 'text',
        text: `Each site must then bring in the whole project before its first frame, while a centre does so once: for ${frames} frames the gain falls to ${times(centre.seconds / edge.seconds)}. The more frames follow, the less it weighs: for ${SHOT_FRAMES} the links would allow ${times(limitOfAll(centre) / limitOfAll(edge))}.`,
      },
      runTable([
        ['centre', centre],
        ['edge', edge],
      ]),
    ],
  };
}

/** Beside equal runs without it, or beside main where that is as long. */
function compression({ compressed, uncompressed, centre: mainCentre, edge: mainEdge }: EdgeReport): Section | null {
  const centre = uncompressed?.centre ?? mainCentre;
  const edge = uncompressed?.edge ?? mainEdge;
  if (!compressed || centre?.frames !== compressed.centre.frames || edge?.frames !== compressed.edge.frames)
    return null;
  const words = (plain: RunReport, small: RunReport): string => {
    const share = 1 - small.seconds / plain.seconds;
    return `${percent(Math.abs(share), 0)} ${share < 0 ? 'more' : 'less'}`;
  };
  return {
    title: 'With lossless compression in transit',
    blocks: [
      {
        kind: 'text',
        text: `The same pixels arrive, checked by the same hashes. For the same ${centre.frames} frames the centre takes ${words(centre, compressed.centre)} time, the edge ${words(edge, compressed.edge)}.`,
      },
      runTable([
        ['centre', centre],
        ['centre, compressed', compressed.centre],
        ['edge', edge],
        ['edge, compressed', compressed.edge],
      ]),
    ],
  };
}

function stages({ centre, edge }: EdgeReport): Section | null {
  if (!centre || !edge) return null;
  const names = [...new Set([centre, edge].flatMap(({ stageSeconds }) => Object.keys(stageSeconds)))];
  const row = (name: string, of: (run: RunReport) => number | null | undefined): string[] => [
    name,
    seconds(of(centre)),
    seconds(of(edge)),
  ];
  const all = [
    row('first frame rendered', ({ timeline }) => timeline.firstFrameRendered),
    row('first frame committed', ({ timeline }) => timeline.firstFrameCommitted),
    row('first frame on the studio’s disk', ({ timeline }) => timeline.firstFrameDelivered),
    row('last frame rendered', ({ timeline }) => timeline.lastFrameRendered),
    row('last frame committed', ({ timeline }) => timeline.lastFrameCommitted),
    row('last frame on the studio’s disk', ({ timeline }) => timeline.lastFrameDelivered),
  ].filter(([, ...cells]) => cells.some((cell) => cell !== '—'));
  const beside = [
    row('upload to the home store', ({ uploadSeconds }) => uploadSeconds),
    row('quote', ({ quoteSeconds }) => quoteSeconds),
    row('settlement', ({ settlementSeconds }) => settlementSeconds),
    row('time with the upload', ({ secondsWithUpload }) => secondsWithUpload),
    ...names.map((name) => row(`stage: ${name}`, ({ stageSeconds }) => stageSeconds[name])),
  ].filter(([, ...cells]) => cells.some((cell) => cell !== '—' && cell !== '0.0 s'));
  const blocks: Block[] = [
    { kind: 'text', text: 'Seconds after the clock’s start.' },
    { kind: 'table', head: ['', 'centre', 'edge'], rows: all },
  ];
  if (beside.length > 0) {
    blocks.push(
      {
        kind: 'text',
        text: 'Beside the clock: what the farm took in all for each of its stages (they overlap), and for money.',
      },
      { kind: 'table', head: ['', 'centre', 'edge'], rows: beside },
    );
  }
  return { title: 'Where the time goes', blocks };
}

function links({ centre, edge, origin }: EdgeReport): Section | null {
  if (!centre || !edge) return null;
  const rows = [centre, edge].flatMap((run) => {
    const shown = run.bytesByLink.length > LINKS_SHOWN ? [] : run.bytesByLink;
    const total = run.bytesByLink.reduce(
      (sum, link) => ({
        up: sum.up + link.upBytes,
        neededUp: sum.neededUp + link.neededUpBytes,
        down: sum.down + link.downBytes,
        neededDown: sum.neededDown + link.neededDownBytes,
      }),
      { up: 0, neededUp: 0, down: 0, neededDown: 0 },
    );
    const line = (name: string, sums: typeof total): string[] => [
      name,
      bytes(sums.up),
      bytes(sums.neededUp),
      sums.neededUp > 0 ? percent(sums.up / sums.neededUp) : '—',
      bytes(sums.down),
      bytes(sums.neededDown),
      sums.neededDown > 0 ? percent(sums.down / sums.neededDown) : '—',
    ];
    const each = shown.map((link) =>
      line(link.link, {
        up: link.upBytes,
        neededUp: link.neededUpBytes,
        down: link.downBytes,
        neededDown: link.neededDownBytes,
      }),
    );
    return run.bytesByLink.length === 1 && each.length === 1
      ? each
      : [...each, line(`all of the ${run.parameters.topology}`, total)];
  });
  return {
    title: 'Bytes on the links',
    blocks: [
      {
        kind: 'text',
        text:
          origin === 'model'
            ? 'What the modelled links carried beside what had to cross them: frames up, the project down.'
            : 'The kernel’s counters, headers and control included, beside the payload that had to cross: frames up, the project down. Headers alone add about 4 %; a byte sent twice would show.',
      },
      { kind: 'table', head: ['link', 'up', 'needed', 'share', 'down', 'needed', 'share'], rows },
    ],
  };
}

function article({ article: told, centre, edge, ratio, size, linkMbits }: EdgeReport): Section {
  const rows = [
    ['project', `${told.projectGB} GB`, centre ? bytes(centre.projectBytes.total) : '—'],
    [
      'frames',
      `${told.frames} of ${told.frameMB} MB`,
      centre ? `${centre.frames} of ${bytes(centre.frameBytes)}` : '—',
    ],
    ['centre', `${told.centreSeconds} s`, seconds(centre?.seconds)],
    ['edge', `${told.edgeSeconds} s`, seconds(edge?.seconds)],
    ['times faster', told.ratio.toFixed(2), ratio === null ? '—' : ratio.toFixed(2)],
  ];
  return {
    title: 'The article’s five figures',
    blocks: [
      {
        kind: 'text',
        text: `The article names no topology. The reading measured here is one centre behind one link against sites with a link each; size ${size} over ${rate(linkMbits)} takes ${Math.abs(size * 330 - linkMbits) < 1e-6 ? 'the same seconds as full size over 330 Mbit/s' : 'other seconds than full size over 330 Mbit/s, so compare the ratio'}.`,
      },
      { kind: 'table', head: ['', 'article', 'here'], rows },
    ],
  };
}

function assumptions({ assumptions: assumed, emulated, reasons }: EdgeReport): Section {
  const blocks: Block[] = [];
  if (assumed.length > 0) blocks.push({ kind: 'text', text: 'Assumed:' }, { kind: 'list', items: assumed });
  if (emulated.length > 0) blocks.push({ kind: 'text', text: 'Emulated:' }, { kind: 'list', items: emulated });
  const left = Object.entries(reasons).map(([part, reason]) => `${part}: ${reason}`);
  if (left.length > 0) blocks.push({ kind: 'text', text: 'Not run:' }, { kind: 'list', items: left });
  return { title: 'What is assumed, and what was emulated', blocks };
}

function machine({ machine: on, centre, edge, origin }: EdgeReport): Section | null {
  if (origin === 'model') return null;
  const busy = (run: RunReport | null): string =>
    run
      ? `${percent(run.cpu.busyShare, 0)} of ${run.cpu.cores} cores (${run.cpu.coreSeconds.toFixed(0)} core seconds)`
      : '—';
  const rates = [...(centre?.links ?? []), ...(edge?.links ?? [])];
  return {
    title: 'The machine and its links, measured before the runs',
    blocks: [
      {
        kind: 'table',
        head: ['', ''],
        rows: [
          ['processor', `${on.processor}, ${on.cores} cores, ${on.memoryGiB} GiB`],
          ['system', `Linux ${on.kernel}, Node ${on.node}, ${on.date}`],
          ['unshaped link of the lab', rate(on.unshapedMbits)],
          ['disk', `writes ${on.diskWriteMBs.toFixed(0)} MB/s, reads ${on.diskReadMBs.toFixed(0)} MB/s`],
          ['busy in the centre’s run', busy(centre)],
          ['busy in the edge’s run', busy(edge)],
        ],
      },
      {
        kind: 'table',
        head: ['link', 'asked', 'tbf told', 'measured up', 'measured down'],
        rows: rates.map(({ link, askedMbits, tbfMbits, upMbits, downMbits }) => [
          link,
          ...[askedMbits, tbfMbits, upMbits, downMbits].map((mbits) => mbits.toFixed(2)),
        ]),
      },
    ],
  };
}
