import type { ClientRequest } from "node:http";
import { onAbort } from "../base/abort.ts";
import type { CallContext } from "../base/call-context.ts";
import type { Deadlines } from "./options.ts";
import { RequestFailure } from "./request-failure.ts";

/** Runs `attempt`, and aborts it with `TIMEOUT` when it has not ended after that time, even if bytes still arrive. */
export async function within<T>(
  milliseconds: number,
  context: CallContext,
  attempt: (context: CallContext) => Promise<T>,
): Promise<T> {
  const { signal } = context;
  signal?.throwIfAborted();
  const end = new AbortController();
  const timedOut = new RequestFailure("TIMEOUT", `it took more than ${milliseconds / 1000} s`, { temporary: true });
  const timer = setTimeout(() => end.abort(timedOut), milliseconds);
  const listenNoMore = onAbort(signal, () => end.abort(signal?.reason));
  try {
    return await attempt(context.under(end.signal));
  } finally {
    clearTimeout(timer);
    listenNoMore();
  }
}

/**
 * Destroys a request if its connection, or then its response, does not come in time.
 *
 * The time that it waits for a free connection does not count.
 */
export class DeadlineWatch {
  readonly #outgoing: ClientRequest;
  readonly #host: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(outgoing: ClientRequest, host: string, deadlines: Deadlines) {
    this.#outgoing = outgoing;
    this.#host = host;
    const connected = () => this.#limit(deadlines.responseMilliseconds, "answer");
    outgoing.once("socket", (socket) => {
      if (!socket.connecting) {
        connected();
        return;
      }
      this.#limit(deadlines.connectMilliseconds, "accept a connection");
      socket.once("encrypted" in socket ? "secureConnect" : "connect", connected);
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #limit(milliseconds: number, missed: string): void {
    this.stop();
    const found = `${this.#host} did not ${missed} within ${milliseconds / 1000} s`;
    const failure = new RequestFailure("TIMEOUT", found, { temporary: true, host: this.#host });
    this.#timer = setTimeout(() => this.#outgoing.destroy(failure), milliseconds);
  }
}
