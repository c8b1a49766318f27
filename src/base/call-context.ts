import type { DecisionTopic, EventListener, FetchOptions, OciUnpackEvent } from "./events.ts";

/** Removes secrets from an event. */
interface EventFilter {
  cleansed(event: OciUnpackEvent): OciUnpackEvent;
}

/** What belongs to one call of the library: the signal that aborts it, and the listeners that its events go to. */
export class CallContext {
  readonly signal: AbortSignal | undefined;
  readonly #secrets: EventFilter | undefined;
  readonly #listeners: readonly EventListener[];

  /** With `secrets`, no event contains one of them. */
  constructor(
    signal: AbortSignal | undefined,
    secrets: EventFilter | undefined,
    ...listeners: readonly (EventListener | undefined)[]
  ) {
    this.signal = signal;
    this.#secrets = secrets;
    this.#listeners = listeners.filter((listener) => listener !== undefined);
  }

  tell(event: OciUnpackEvent): void {
    if (this.#listeners.length === 0) return;
    const told = this.#secrets?.cleansed(event) ?? event;
    for (const listener of this.#listeners) listener(told);
  }

  /** Tells why something is done as it is, for `--explain`. */
  decided(topic: DecisionTopic, message: string): void {
    this.tell({ type: "decision", topic, message });
  }

  /** The same listeners under another signal. */
  under(signal: AbortSignal): CallContext {
    return new CallContext(signal, this.#secrets, ...this.#listeners);
  }

  /** The same as options, for functions that the caller supplied. */
  get fetchOptions(): FetchOptions {
    const onEvent: EventListener = (event) => this.tell(event);
    return this.signal === undefined ? { onEvent } : { onEvent, signal: this.signal };
  }
}
