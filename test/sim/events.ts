/** The clock of the model: what happens when, in the order of time. */
import FlatQueue from 'flatqueue';

/** A discrete-event clock (Fishman 2001, next-event time advance). Times are seconds; the clock jumps from event to event. */
export class EventQueue {
  #queue = new FlatQueue<() => void>();
  #beforeTimeMoves: () => void = () => {};
  /** Seconds since the model's start. */
  now = 0;
  /** Events handled so far. */
  handled = 0;

  /** Calls `run` at `time`; a time that has passed counts as now. Events of one time have no order among them. */
  at(time: number, run: () => void): void {
    this.#queue.push(run, Math.max(time, this.now));
  }

  after(seconds: number, run: () => void): void {
    this.at(this.now + seconds, run);
  }

  /**
   * What to do once all events of an instant are handled, before the clock moves: here the network shares its links out
   * anew, once for everything that began and ended in the same instant.
   */
  beforeTimeMoves(settle: () => void): void {
    this.#beforeTimeMoves = settle;
  }

  /** Runs until nothing is left to happen. */
  run(): void {
    while (true) {
      const next = this.#queue.peekValue();
      if (next === undefined || next > this.now) {
        this.#beforeTimeMoves();
        const settled = this.#queue.peekValue();
        if (settled === undefined) return;
        this.now = settled;
      }
      this.handled++;
      this.#queue.pop()!();
    }
  }
}
