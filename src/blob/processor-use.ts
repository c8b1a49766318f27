import { availableParallelism } from "node:os";

/** How long the use of processors is counted before it says something. */
const countedMilliseconds = 10;

/** From which share of all processors on this process uses most of them. */
const mostOfThem = 0.6;

/** What a process has used of the machine's processors so far. */
interface Clock {
  readonly processors: number;
  /** Milliseconds since some moment. */
  readonly now: () => number;
  /** Milliseconds of processor time, of all threads of this process together. */
  readonly used: () => number;
}

const ofThisProcess: Clock = {
  processors: availableParallelism(),
  now: () => performance.now(),
  used: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** Whether this process uses most of the machine's processors, found out anew every 10 ms at most. */
export class ProcessorUse {
  readonly #clock: Clock;
  #since: number;
  #usedBefore: number;
  #isHigh = false;

  constructor(clock = ofThisProcess) {
    this.#clock = clock;
    this.#since = clock.now();
    this.#usedBefore = clock.used();
  }

  /** False until that is known. */
  get isHigh(): boolean {
    const { processors, now, used } = this.#clock;
    const elapsed = now() - this.#since;
    if (elapsed < countedMilliseconds) return this.#isHigh;
    const usedNow = used();
    this.#isHigh = usedNow - this.#usedBefore >= mostOfThem * processors * elapsed;
    this.#since += elapsed;
    this.#usedBefore = usedNow;
    return this.#isHigh;
  }
}
