/** The values that events bring, for a loop to take. */
export class ValueQueue<Value> implements AsyncIterable<Value> {
  readonly #values: { readonly value: Value }[] = [];
  #isEnded = false;
  #wake: () => void = () => {};

  add(value: Value): void {
    this.#values.push({ value });
    this.#wake();
  }

  /** Ends the loop after the values that are there. */
  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Value> {
    for (;;) {
      const next = this.#values.shift();
      if (next !== undefined) yield next.value;
      else if (this.#isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
