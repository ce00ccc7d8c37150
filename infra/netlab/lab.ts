/**
 * A network lab: the studio and places (a centre, sites) as network namespaces, each behind a link of its own to a router.
 *
 *     studio ── router ═╤═ centre
 *                       ├═ site-1
 *                       └═ …            ═ shaped in both directions by `tc tbf`, ── unshaped unless asked for
 *
 * Nothing leaves these namespaces; only bandwidth is emulated, no delay and no loss. Needs root and iproute2.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FarmError } from '../../domain/errors.ts';
import { requireLab, run, runBatch } from './commands.ts';
import { newLabPrefix, removeLab, removeStaleLabs } from './namespaces.js';
import { sentBytes, tbfArguments } from './shaping.ts';

/** A namespace with one link to the router. */
export interface Place {
  name: string;
  namespace: string;
  /** IPv4 address under which all others reach it. */
  address: string;
}

/** Rates for `tbf`, Mbit/s, from the place to the router and back; `tbfRateFor` makes them of payload. */
export interface TbfRates {
  up: number;
  down: number;
}

/** Bytes that crossed a place's link so far, headers included. */
export interface LinkCounters {
  up: number;
  down: number;
}

/** Names a lab to another process. */
export interface LabDescription {
  prefix: string;
  places: string[];
}

const STUDIO = 'studio';
/** Device of a place's end of its link; the router's end has the place's name. */
const DEVICE = 'eth0';
const subnetOf = (index: number): string => `10.77.${index}`;

export class Lab {
  readonly studio: Place;
  /** In the order asked for, without the studio. */
  readonly places: readonly Place[];
  readonly #prefix: string;
  readonly #watchdog: ChildProcess | null;

  private constructor(prefix: string, names: readonly string[], watchdog: ChildProcess | null) {
    const place = (name: string, index: number): Place => ({
      name,
      namespace: `${prefix}.${name}`,
      address: `${subnetOf(index)}.2`,
    });
    this.#prefix = prefix;
    this.#watchdog = watchdog;
    this.studio = place(STUDIO, 0);
    this.places = names.map((name, index) => place(name, index + 1));
  }

  /**
   * Builds a lab, after removing those of owners that were killed. It goes with this process, whatever ends that.
   * @param names of the places beside the studio: lower-case letters, digits and `-`, at most 15
   * @throws FarmError `PlatformUnsupported` without root or iproute2, `SettingInvalid` for names
   */
  static async build(names: readonly string[]): Promise<Lab> {
    const wrong = names.find((name, index) => !/^[a-z][a-z0-9-]{0,14}$/.test(name) || names.indexOf(name) !== index);
    if (wrong !== undefined || names.includes(STUDIO) || names.length > 250) {
      throw new FarmError('SettingInvalid', `A lab cannot have the places ${names.join(', ')}.`, {});
    }
    await requireLab();
    await removeStaleLabs();
    const prefix = newLabPrefix();
    const lab = new Lab(prefix, names, startWatchdog(prefix));
    try {
      await lab.#wire();
    } catch (error) {
      await lab.remove();
      throw error;
    }
    return lab;
  }

  /** What another process needs to use this lab: `Lab.attach`. */
  describe(): LabDescription {
    return { prefix: this.#prefix, places: this.places.map(({ name }) => name) };
  }

  /** A lab that another process built and removes. */
  static attach({ prefix, places }: LabDescription): Lab {
    return new Lab(prefix, places, null);
  }

  get #router(): string {
    return `${this.#prefix}.router`;
  }

  get #all(): readonly Place[] {
    return [this.studio, ...this.places];
  }

  async #wire(): Promise<void> {
    const router = this.#router;
    await runBatch('ip', null, [
      ...[router, ...this.#all.map(({ namespace }) => namespace)].map((name) => `netns add ${name}`),
      ...this.#all.map(
        ({ name, namespace }) => `link add ${DEVICE} netns ${namespace} type veth peer name ${name} netns ${router}`,
      ),
    ]);
    await runBatch(
      'ip',
      router,
      this.#all.flatMap(({ name }, index) => [
        `addr add ${subnetOf(index)}.1/24 dev ${name}`,
        `link set ${name} mtu 1500 up`,
      ]),
    );
    for (const [index, { namespace, address }] of this.#all.entries()) {
      await runBatch('ip', namespace, [
        'link set lo up',
        `addr add ${address}/24 dev ${DEVICE}`,
        `link set ${DEVICE} mtu 1500 up`,
        `route add default via ${subnetOf(index)}.1`,
      ]);
    }
    await run('ip', ['netns', 'exec', router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  }

  /** @throws FarmError `NotFound` */
  place(name: string): Place {
    const found = this.#all.find((place) => place.name === name);
    if (found) return found;
    throw new FarmError('NotFound', `The lab has no place "${name}".`, { place: name });
  }

  /** Sets the rates of a place's link, at once and also while bytes cross it; null lets it run unshaped. */
  async shape(name: string, rates: TbfRates | null): Promise<void> {
    const { namespace } = this.place(name);
    const ends = [
      { inside: namespace, device: DEVICE, mbits: rates?.up },
      { inside: this.#router, device: name, mbits: rates?.down },
    ];
    for (const { inside, device, mbits } of ends) {
      if (mbits !== undefined) await run('tc', ['-netns', inside, ...tbfArguments(device, mbits)]);
      // There is nothing to delete where nothing was shaped.
      else await run('tc', ['-netns', inside, 'qdisc', 'delete', 'dev', device, 'root']).catch(() => undefined);
    }
  }

  /** Of one link. Shaping a link that was unshaped begins its count anew. */
  async counters(name: string): Promise<LinkCounters> {
    const { namespace } = this.place(name);
    const [up, down] = await Promise.all([sentBytes(namespace, DEVICE), sentBytes(this.#router, name)]);
    return { up, down };
  }

  /** The command line that runs a program in a place. */
  inside(name: string, program: string, args: readonly string[]): { command: string; args: string[] } {
    return { command: 'ip', args: ['netns', 'exec', this.place(name).namespace, program, ...args] };
  }

  /** Ends whatever still runs in the lab, for good, and removes it. Only who built it does so. */
  async remove(): Promise<void> {
    const watchdog = this.#watchdog;
    if (!watchdog) return;
    await removeLab(this.#prefix);
    const gone = new Promise((resolve) => watchdog.once('exit', resolve));
    watchdog.ref();
    watchdog.stdin?.end();
    await gone;
  }
}

function startWatchdog(prefix: string): ChildProcess {
  const program = join(dirname(fileURLToPath(import.meta.url)), 'watchdog-process.js');
  const child = spawn(process.execPath, [program, prefix], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin?.on('error', () => {});
  child.unref();
  return child;
}
