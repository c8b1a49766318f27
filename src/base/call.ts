import type { DecisionTopic, EventListener, FetchOptions, UnpackEvent } from "./events.ts";

/** Takes out of an event what nobody may see. */
interface EventFilter {
  cleansed(event: UnpackEvent): UnpackEvent;
}

/** On whose behalf something is fetched: what ends it, and who hears of it. */
export class Context {
  readonly signal: AbortSignal | undefined;
  readonly #secrets: EventFilter | undefined;
  readonly #listeners: readonly EventListener[];

  /** With a client's secrets, nobody hears of them. */
  constructor(
    signal: AbortSignal | undefined,
    secrets: EventFilter | undefined,
    ...listeners: readonly (EventListener | undefined)[]
  ) {
    this.signal = signal;
    this.#secrets = secrets;
    this.#listeners = listeners.filter((listener) => listener !== undefined);
  }

  tell(event: UnpackEvent): void {
    if (this.#listeners.length === 0) return;
    const told = this.#secrets?.cleansed(event) ?? event;
    for (const listener of this.#listeners) listener(told);
  }

  /** Adds a step to the trail that `--explain` shows. */
  decided(topic: DecisionTopic, message: string): void {
    this.tell({ type: "decision", topic, message });
  }

  /** The same listeners under another signal. */
  under(signal: AbortSignal): Context {
    return new Context(signal, this.#secrets, ...this.#listeners);
  }

  /** As functions that a caller supplied are given it. */
  get fetchOptions(): FetchOptions {
    const onEvent: EventListener = (event) => this.tell(event);
    return this.signal === undefined ? { onEvent } : { onEvent, signal: this.signal };
  }
}
