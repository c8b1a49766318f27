import type { OnReadOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Connection } from "./connection.ts";
import { Wire, type WireUser } from "./wire.ts";

/**
 * The connections of an agent, and the wires of those that ended because a body was read past `node:http`. The agent
 * counts and keeps its connections as ever; such a wire waits here for the next one to the same place.
 */
export class Wires {
  readonly #keepAlive: (connection: Connection) => unknown;
  /** Idle wires, the last one used last, by the agent's name for where they lead. */
  readonly #idle = new Map<string, Wire[]>();

  /** `keepAlive` is the agent's: it says whether a connection can be used again, and for how long it waits for that. */
  constructor(keepAlive: (connection: Connection) => unknown) {
    this.#keepAlive = keepAlive;
  }

  /** A connection on an idle wire, or on a new one that `connect` makes. What is no socket is passed on. */
  connection(name: string, connect: (onread: OnReadOpts) => Socket): Duplex {
    const idle = this.#take(name);
    const wire = idle ?? new Wire(connect);
    const giveBack = (used: Wire, connection: Connection) => {
      if (this.#keepAlive(connection)) this.#keep(name, used);
      else used.socket.destroy();
    };
    return new Connection(wire, idle !== undefined, giveBack);
  }

  /** Closes all idle wires. */
  destroy(): void {
    for (const wires of [...this.#idle.values()]) for (const { socket } of [...wires]) socket.destroy();
    this.#idle.clear();
  }

  #take(name: string): Wire | undefined {
    const wires = this.#idle.get(name) ?? [];
    for (let wire = wires.pop(); wire !== undefined; wire = wires.pop()) {
      if (wire.socket.destroyed || !wire.socket.writable) continue;
      wire.socket.setTimeout(0);
      wire.socket.ref();
      return wire;
    }
    this.#idle.delete(name);
    return undefined;
  }

  #keep(name: string, wire: Wire): void {
    const wires = this.#idle.get(name) ?? [];
    wires.push(wire);
    this.#idle.set(name, wires);
    wire.giveTo(closing(wire));
    wire.resume();
  }
}

/** Closes an idle wire as soon as anything happens on it: nobody asked for anything. */
function closing(wire: Wire): WireUser {
  const close = () => wire.socket.destroy();
  return {
    space: () => wire.head,
    received() {
      close();
      return false;
    },
    connected() {},
    ended: close,
    timedOut: close,
  };
}
