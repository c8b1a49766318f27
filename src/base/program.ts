import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { Writable } from "node:stream";
import { onAbort } from "./abort.ts";
import { present } from "./present.ts";
import { cannotStart } from "./system-error.ts";

/** How a program is run. */
export interface ProgramOptions {
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The directory that it runs in. Default: the current one. */
  readonly directory?: string;
  /** Ends the program when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Which of its outputs is kept. The other one is thrown away. */
  readonly kept: "stdout" | "stderr";
  /** How much is kept: the end of a longer output. */
  readonly keptCharacters: number;
  /** Ends the program when its output is longer than what is kept. Default: false. */
  readonly endsIfLonger?: boolean;
}

/** How a program ended. */
export interface ProgramEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  /** The output was longer than what was kept of it. */
  readonly isCut: boolean;
}

/** A program that runs without a shell. */
export class Program {
  /** What the program reads. */
  readonly input: Writable;
  /**
   * How it ended, when its output has ended too. Rejects if it could not be started: with `OUT_OF_RESOURCES` where this
   * user may have no more processes or files, else with Node's error.
   */
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], options: ProgramOptions) {
    const child = start(command, args, options);
    this.#child = child;
    // A program need not read its input. Its status tells whether it succeeded. With too many files open Node makes no
    // pipes at all.
    this.input = (child.stdin ?? nowhere()).on("error", () => {});
    const stopListening = onAbort(options.signal, () => this.kill());
    this.ended = this.#end(options)
      .catch((error: unknown) => {
        throw notStarted(error, command);
      })
      .finally(stopListening);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
    // Another program that it started may keep the pipe open for ever.
    (this.#child.stdout ?? this.#child.stderr)?.destroy();
  }

  async #end({ keptCharacters, endsIfLonger = false }: ProgramOptions): Promise<ProgramEnd> {
    let output = "";
    let isCut = false;
    (this.#child.stdout ?? this.#child.stderr)?.setEncoding("utf8").on("data", (text: string) => {
      const all = output + text;
      isCut ||= all.length > keptCharacters;
      if (isCut && endsIfLonger) this.kill();
      output = all.slice(-keptCharacters);
    });
    const [status, signal] = await once(this.#child, "close");
    return { status, signal, output, isCut };
  }
}

function start(command: string, args: readonly string[], options: ProgramOptions): ChildProcess {
  const { env, directory, kept } = options;
  const settings: SpawnOptions = present({ env: env && { ...env }, cwd: directory });
  const stdio: SpawnOptions["stdio"] = kept === "stdout" ? ["pipe", "pipe", "ignore"] : ["pipe", "ignore", "pipe"];
  try {
    return spawn(command, args, { ...settings, stdio });
  } catch (error) {
    throw notStarted(error, command);
  }
}

function notStarted(error: unknown, command: string): unknown {
  return cannotStart(error, `start the program ${command}`) ?? error;
}

/** What takes the input of a program that was not started, and for which there is no pipe. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
