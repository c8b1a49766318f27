import type { ClientRequest } from "node:http";
import { Failure } from "./failure.ts";
import type { Deadlines } from "./options.ts";

/** Sees to it that a connection, and then an answer, comes in time. Waiting for one's turn is no one's fault and has no limit. */
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
    const failure = new Failure("TIMEOUT", found, { temporary: true, host: this.#host });
    this.#timer = setTimeout(() => this.#outgoing.destroy(failure), milliseconds);
  }
}
