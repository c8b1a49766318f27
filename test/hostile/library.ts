import { type ChildProcess, spawn } from "node:child_process";
import type { UnpackOptions } from "../../src/index.ts";
import { asUser, type Program } from "./as-user.ts";
import type { User } from "./place.ts";

/** What a helper process is asked. */
export interface UnpackJob {
  readonly id: number;
  readonly reference: string;
  readonly target: string;
  readonly options: UnpackOptions;
}

/** What it answers: "contained", or the code of an error. */
export interface UnpackReply {
  readonly id: number;
  readonly word: string;
  readonly message: string;
}

/** The library in a process of its own, as another user, for many images: starting a command for each takes longer. */
export class Library implements Disposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (reply: UnpackReply) => void>();
  #jobs = 0;

  constructor(program: Program, user: User) {
    const script = `${program.directory}/test/hostile/unpack-many.js`;
    this.#child = spawn("setpriv", asUser(user, process.execPath, [script]), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      cwd: "/",
    });
    this.#child.on("message", (reply: UnpackReply) => this.#waiting.get(reply.id)?.(reply));
    this.#child.on("exit", () => {
      for (const [id, answer] of this.#waiting) answer({ id, word: "crash", message: "the process ended" });
    });
  }

  /** Unpacks an image. A process that ends without an answer is an outcome like any other. */
  async unpack(reference: string, target: string, options: UnpackOptions): Promise<UnpackReply> {
    const id = ++this.#jobs;
    const reply = new Promise<UnpackReply>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, reference, target, options } satisfies UnpackJob);
    try {
      return await reply;
    } finally {
      this.#waiting.delete(id);
    }
  }

  [Symbol.dispose](): void {
    this.#child.kill();
  }
}
