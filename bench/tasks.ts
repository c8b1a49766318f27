import { readdirSync, readFileSync } from "node:fs";

/** What one thread of a process has used so far. */
export interface Task {
  readonly name: string;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** How long it could have run, had a processor been free. */
  readonly runnableSeconds: number;
  /** How often it went to sleep of its own accord. */
  readonly sleeps: number;
}

/** USER_HZ: what /proc counts in, whatever the kernel does. */
const ticksPerSecond = 100;

/** Looks at a process again and again while it lives; what was last seen of each of its threads counts. */
export class TaskWatch implements Disposable {
  readonly #directory: string;
  readonly #timer: NodeJS.Timeout;
  readonly #tasks = new Map<string, Task>();
  readonly #process: string;

  constructor(pid: number) {
    this.#process = String(pid);
    this.#directory = `/proc/${pid}/task`;
    this.#timer = setInterval(() => this.#look(), 25);
  }

  /** The threads, the first of which is the main one. */
  get tasks(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const id of ids(this.#directory)) {
      const task = taskIn(`${this.#directory}/${id}`);
      if (task !== undefined) this.#tasks.set(id, id === this.#process ? { ...task, name: "main" } : task);
    }
  }
}

/** It may be gone between two looks. */
function ids(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function taskIn(directory: string): Task | undefined {
  try {
    const { name, fields } = statOf(readFileSync(`${directory}/stat`, "latin1"));
    const [, waitedNanoseconds = 0] = readFileSync(`${directory}/schedstat`, "latin1").split(" ").map(Number);
    const sleeps = /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(`${directory}/status`, "latin1"))?.[1];
    return {
      name,
      userSeconds: Number(fields[11]) / ticksPerSecond,
      systemSeconds: Number(fields[12]) / ticksPerSecond,
      runnableSeconds: waitedNanoseconds / 1e9,
      sleeps: Number(sleeps),
    };
  } catch {
    return undefined;
  }
}

/** `pid (name) state …`: the name may have anything in it, a parenthesis too (proc_pid_stat(5)). */
function statOf(stat: string): { readonly name: string; readonly fields: readonly string[] } {
  const end = stat.lastIndexOf(")");
  return { name: stat.slice(stat.indexOf("(") + 1, end), fields: stat.slice(end + 2).split(" ") };
}
