/** Long enough to even out bursts, short enough to notice that a download has stalled. */
const windowMilliseconds = 4000;

/** How fast an absolute number grows, averaged over the last seconds. */
export class Rate {
  #samples: { readonly time: number; readonly value: number }[] = [];

  sample(time: number, value: number): void {
    const samples = this.#samples.filter((sample) => time - sample.time <= windowMilliseconds);
    this.#samples = [...samples, { time, value }];
  }

  /** Per second; `undefined` until there is something to compare. */
  perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.time - first.time < 200) return undefined;
    return ((last.value - first.value) * 1000) / (last.time - first.time);
  }
}

/** Milliseconds until `remaining` is nothing at this rate; `undefined` where nobody can say. */
export function timeLeft(remaining: number, perSecond: number | undefined): number | undefined {
  if (remaining <= 0) return 0;
  if (perSecond === undefined || perSecond <= 0) return undefined;
  return (remaining / perSecond) * 1000;
}
