/**
 * The lab's programs on their one machine: which of them work when a frame takes a step, and how long. Core seconds of each
 * program are measured (`costs.ts`); to which step they belong is known of the farm's code, and in halves and thirds where a
 * program works for several steps. How much there is in all does not depend on that.
 */
import { PROGRAMS, type Program as ProgramName } from '../bench/edge/edgeReport.ts';
import type { ColdProgram, MachineSpec, ProgramCost } from './costs.ts';
import type { EventQueue } from './events.ts';
import { Machine, type Program } from './machine.ts';

/**
 * `offer`, `claim`, `finish` of a chunk; `stage` of project data as it comes, `assemble` when all that frames share is there;
 * of a frame: `hash` by its node, `announce`, `head` and `put` into its site's store, `report`, `judge` where it lies, which the store
 * has to `read` for it, `commit`, `address` told to the studio, and `receive` of its bytes.
 */
export const STEPS = [
  ...['offer', 'claim', 'finish', 'stage', 'assemble'],
  ...['hash', 'announce', 'head', 'put', 'report', 'judge', 'read', 'commit', 'address', 'receive'],
] as const;
export type Step = (typeof STEPS)[number];

/** Core seconds a time and a megabyte. `isBeside`: nobody waits for it. */
interface Task {
  name: ProgramName;
  seconds: number;
  perMB: number;
  isBeside: boolean;
}

/** The step of a frame in which a program's code is compiled that runs for the first times. */
const FIRST_STEPS: Partial<Record<ProgramName, Step>> = { node: 'put', store: 'put', agent: 'judge' };

/** Programs at each site, and of each node. */
const OF_SITES: readonly ProgramName[] = ['store', 'agent'];
/** Those that work in several threads or processes; the others' work is in one. */
const THREADS: Partial<Record<ProgramName, number>> = {
  ...{ store: 2, agent: 2, home: 2, studio: 2, database: 2, temporal: 2 },
};
/** Those that carry streams, many at the same time; the others do one request after the other. */
const STREAMING: readonly ProgramName[] = ['node', 'store', 'home', 'studio'];
/**
 * The kernel divides time between sessions: the database has one for each connection, and the studio's is at nice -10 in the
 * benchmark, which is worth 9548 where others have 1024 (`sched_prio_to_weight` in Linux).
 */
const WEIGHTS: Partial<Record<ProgramName, number>> = { database: 2, studio: 9548 / 1024 };

export class LabMachine {
  readonly machine: Machine;
  #tasks: Record<Step, Task[]>;
  #shared = new Map<ProgramName, Program>();
  #sites: Map<ProgramName, Program>[];
  #spec: MachineSpec;
  /** Of programs that are not warm: frames that still cost them more. */
  #coldFrames = new Map<Program, number>();

  /** @param isPacked frames cross compressed */
  constructor(events: EventQueue, spec: MachineSpec, sites: number, isPacked: boolean) {
    this.#spec = spec;
    this.machine = new Machine(events, spec.cores);
    this.#tasks = tasksOf(spec.costs, isPacked);
    for (const name of PROGRAMS) {
      if (name !== 'node' && !OF_SITES.includes(name)) this.#shared.set(name, this.#make(name));
    }
    this.#sites = Array.from({ length: sites }, () => new Map(OF_SITES.map((name) => [name, this.#make(name)])));
  }

  /** A node's own program. */
  newNode(): Program {
    return this.#make('node');
  }

  #make(name: ProgramName): Program {
    const [threads = 1, weight = 1] = [THREADS[name], WEIGHTS[name]];
    const slots = STREAMING.includes(name) ? Number.POSITIVE_INFINITY : threads;
    const program = this.machine.program(name, { threads, slots, weight });
    if (name in this.#spec.cold) this.#coldFrames.set(program, this.#spec.coldFrames);
    return program;
  }

  #coldSeconds(name: ColdProgram, program: Program): number {
    const left = this.#coldFrames.get(program) ?? 0;
    if (left === 0) return 0;
    this.#coldFrames.set(program, left - 1);
    return this.#spec.cold[name] / this.#spec.coldFrames;
  }

  /** Steps one after the other. */
  doAll(steps: readonly Step[], site: number, node: Program | null, mb: number, done: () => void): void {
    const [first, ...rest] = steps;
    if (first === undefined) done();
    else this.do(first, site, node, mb, () => this.doAll(rest, site, node, mb, done));
  }

  /** @param done called when all that is waited for is done */
  do(step: Step, site: number | null, node: Program | null, mb: number, done: () => void): void {
    let left = 1;
    const ended = (): void => {
      if (--left === 0) done();
    };
    for (const { name, seconds, perMB, isBeside } of this.#tasks[step]) {
      const program =
        name === 'node' ? node : (this.#shared.get(name) ?? (site === null ? null : this.#sites[site]!.get(name)));
      if (!program) continue;
      if (!isBeside) left++;
      const cold = FIRST_STEPS[name] === step ? this.#coldSeconds(name as ColdProgram, program) : 0;
      this.machine.work(program, seconds + perMB * mb + cold, isBeside ? () => {} : ended);
    }
    ended();
  }
}

function tasksOf(costs: Record<ProgramName, ProgramCost>, isPacked: boolean): Record<Step, Task[]> {
  const tasks = Object.fromEntries(STEPS.map((step): [Step, Task[]] => [step, []])) as Record<Step, Task[]>;
  const give = (step: Step, name: ProgramName, seconds: number, perMB: number, isBeside = false): void => {
    if (seconds > 0 || perMB > 0) tasks[step].push({ name, seconds, perMB, isBeside });
  };
  for (const name of PROGRAMS) {
    const { perFrame, perChunk, perMB, perStagedMB, perReceivedMB, perPackedMB } = costs[name];
    // A store is written once and read twice, by the agent and for the studio.
    const read = name === 'store' ? Math.min(perReceivedMB, perMB / 3) : 0;
    give('receive', name, 0, isPacked ? Math.max(0, perPackedMB - perReceivedMB) : 0);
    switch (name) {
      case 'node':
        give('claim', name, perChunk, 0);
        // Four times over the bytes: as they come, put together and checked, read by the engine, and left in the site's store.
        give('stage', name, 0, perStagedMB / 4);
        give('assemble', name, 0, perStagedMB / 2);
        give('assemble', name, 0, perStagedMB / 4, true);
        give('hash', name, 0, perMB / 2);
        give('head', name, 0, perMB / 2);
        give('put', name, perFrame, perMB / 2);
        break;
      case 'store':
        give('finish', name, perChunk, 0, true);
        give('assemble', name, 0, perStagedMB, true);
        give('head', name, 0, perMB - 2 * read);
        give('put', name, perFrame / 2, perMB - 2 * read);
        give('read', name, perFrame / 4, read);
        give('address', name, perFrame / 4, 0);
        give('receive', name, 0, read);
        break;
      case 'agent':
        give('finish', name, perChunk, 0, true);
        give('stage', name, 0, perStagedMB, true);
        give('judge', name, perFrame, perMB);
        break;
      case 'studio':
        give('finish', name, perChunk, 0, true);
        give('stage', name, 0, perStagedMB, true);
        give('address', name, perFrame, 0);
        give('receive', name, 0, perMB);
        break;
      case 'home':
        give('finish', name, perChunk, 0, true);
        give('stage', name, 0, perStagedMB);
        give('commit', name, perFrame, perMB, true);
        break;
      case 'api':
        give('claim', name, perChunk, 0);
        give('stage', name, 0, perStagedMB, true);
        for (const step of ['announce', 'report'] as const) give(step, name, perFrame / 4, perMB / 2);
        give('address', name, perFrame / 2, 0);
        break;
      case 'dispatch':
        for (const step of ['offer', 'finish'] as const) give(step, name, perChunk / 2, 0);
        give('stage', name, 0, perStagedMB, true);
        give('commit', name, perFrame, perMB);
        break;
      case 'database':
        for (const step of ['offer', 'claim', 'finish'] as const) give(step, name, perChunk / 3, 0);
        give('stage', name, 0, perStagedMB, true);
        for (const step of ['announce', 'report'] as const) give(step, name, perFrame / 4, perMB / 4);
        give('commit', name, perFrame / 2, perMB / 2);
        break;
      case 'temporal':
        give('offer', name, perChunk / 2, 0);
        give('finish', name, perChunk / 2, 0, true);
        give('stage', name, 0, perStagedMB, true);
        give('commit', name, perFrame, perMB, true);
        break;
      default:
        give('offer', name, perChunk, 0, true);
        give('stage', name, 0, perStagedMB, true);
        give('commit', name, perFrame, perMB, true);
    }
  }
  return tasks;
}
