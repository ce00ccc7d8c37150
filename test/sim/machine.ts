/**
 * One machine whose cores many programs share, as the lab's do: programs share them by weight, none getting more than it has
 * threads for (weighted max-min fairness, which is what a scheduler comes to that divides time between sessions first;
 * Demers, Keshav and Shenker 1989 for the rule), and what a program works on at the same time shares what it gets.
 */
import type { EventQueue } from './events.ts';

/** Work that is this close to its end is done: rounding of the clock, core seconds. */
const ROUNDING_SECONDS = 1e-9;

interface Work {
  left: number;
  done: () => void;
}

/** A program with what it works on, in the order it came. */
export interface Program {
  name: string;
  /** Cores that it can use at most. */
  threads: number;
  /** Its claim to cores where they are short, relative to others'. */
  weight: number;
  /** What it works on at the same time, in turns; the rest waits. */
  slots: number;
  running: Work[];
  waiting: Work[];
  /** Cores that it has now. */
  rate: number;
}

export class Machine {
  readonly cores: number;
  /** Core seconds of all programs so far. */
  used = 0;
  #events: EventQueue;
  #active: Program[] = [];
  #settledAt = 0;
  #isDirty = false;
  /** Ends planned with older rates have an older number. */
  #plan = 0;

  constructor(events: EventQueue, cores: number) {
    this.#events = events;
    this.cores = cores;
  }

  program(
    name: string,
    { threads = 1, slots = 1, weight = 1 }: { threads?: number; slots?: number; weight?: number } = {},
  ): Program {
    return { name, threads, slots, weight, running: [], waiting: [], rate: 0 };
  }

  /** Has a program work for so many core seconds; `done` is called afterwards, at once where it is nothing. */
  work(program: Program, coreSeconds: number, done: () => void): void {
    if (coreSeconds <= ROUNDING_SECONDS) {
      done();
      return;
    }
    this.#advance();
    if (program.running.length === 0) this.#active.push(program);
    const work = { left: coreSeconds, done };
    if (program.running.length < program.slots) program.running.push(work);
    else program.waiting.push(work);
    this.#soil();
  }

  #advance(): void {
    const seconds = this.#events.now - this.#settledAt;
    this.#settledAt = this.#events.now;
    if (seconds <= 0) return;
    for (const program of this.#active) {
      const share = program.rate / program.running.length;
      this.used += program.rate * seconds;
      for (const work of program.running) work.left -= share * seconds;
    }
  }

  /** Shares anew once all that begins and ends in this instant has. */
  #soil(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#events.after(0, () => this.#settle());
  }

  #settle(): void {
    this.#isDirty = false;
    this.#advance();
    this.#share();
    let next = Number.POSITIVE_INFINITY;
    for (const { running, rate } of this.#active) {
      for (const { left } of running) next = Math.min(next, (Math.max(0, left) * running.length) / rate);
    }
    const plan = ++this.#plan;
    if (next < Number.POSITIVE_INFINITY) this.#events.after(next, () => plan === this.#plan && this.#end());
  }

  /** Rates rise together by weight; who has all that it has threads for stops rising. */
  #share(): void {
    let cores = this.cores;
    let open = this.#active.slice();
    while (open.length > 0) {
      const level = cores / open.reduce((sum, { weight }) => sum + weight, 0);
      const full = open.filter((program) => most(program) <= level * program.weight);
      if (full.length === 0) {
        for (const program of open) program.rate = level * program.weight;
        return;
      }
      for (const program of full) {
        program.rate = most(program);
        cores -= program.rate;
      }
      open = open.filter((program) => !full.includes(program));
    }
  }

  #end(): void {
    this.#advance();
    const ended: Work[] = [];
    for (const program of this.#active) {
      const still = program.running.filter((work) => work.left > ROUNDING_SECONDS);
      if (still.length === program.running.length) continue;
      for (const work of program.running) if (work.left <= ROUNDING_SECONDS) ended.push(work);
      program.running = still;
      still.push(...program.waiting.splice(0, program.slots - still.length));
    }
    this.#active = this.#active.filter(({ running }) => running.length > 0);
    this.#soil();
    for (const { done } of ended) done();
  }
}

const most = ({ running, threads }: Program): number => Math.min(running.length, threads);
