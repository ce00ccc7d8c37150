/** First in, first out, without moving what is behind. */
export class Line<T> {
  #items: T[] = [];
  #next = 0;

  push(item: T): void {
    this.#items.push(item);
  }

  get isEmpty(): boolean {
    return this.#next === this.#items.length;
  }

  take(): T | undefined {
    return this.#next < this.#items.length ? this.#items[this.#next++] : undefined;
  }
}
