import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { run } from "../../src/cli/run.ts";
import { scratch } from "../support/scratch.ts";
import { assertClearError } from "./clear-error.ts";

/** How the command failed, by its own account. */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** A place to go wrong in: beside what is read there is a directory for the target, and one for temporary files. */
export interface Stage extends AsyncDisposable {
  /** What is read lies here. */
  readonly directory: string;
  /** What is to be written is to lie here. */
  readonly place: string;
  /** Runs the command in this process and insists on its success. */
  succeeds(args: readonly string[], env?: Environment): Promise<void>;
  /** Unpacks by way of a store, whatever comes of it. */
  keeps(name: string, store: string): Promise<void>;
  /** Runs the command in this process and insists on one clear error, with nothing left behind. */
  fails(args: readonly string[], env?: Environment): Promise<Told>;
}

const platform = ["-q", "-p", "linux/amd64"];

export type Environment = Readonly<Record<string, string>>;

export async function setStage(): Promise<Stage> {
  const { directory, ...remove } = await scratch();
  const place = join(directory, "place");
  const temporary = join(directory, "tmp");
  for (const path of [place, temporary]) await mkdir(path);
  return {
    directory,
    place,
    async succeeds(args, env) {
      const { status, stderr } = await performed([...platform, ...args], temporary, env);
      assert.equal(status, 0, stderr);
    },
    async keeps(name, store) {
      await performed([...platform, "--store", store, name, join(directory, "kept")], temporary);
    },
    async fails(args, env) {
      const before = [await readdir(place, { recursive: true }), await readdir(temporary)];
      const { status, stdout, stderr } = await performed([...platform, "--json", ...args], temporary, env);
      assert.ok(status === 1 || status === 2, `it ended with ${status}`);
      assertClearError(stderr);
      assert.deepEqual([await readdir(place, { recursive: true }), await readdir(temporary)], before, "what is left");
      return JSON.parse(stdout).error;
    },
    ...remove,
  };
}

async function performed(
  args: readonly string[],
  temporary: string,
  env: Environment = {},
): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }> {
  const [output, errors] = [new Ear(), new Ear()];
  // Where temporary files go is asked of the process by Node itself.
  const before = process.env.TMPDIR;
  process.env.TMPDIR = temporary;
  try {
    const home = join(temporary, "nobody");
    const surroundings = { env: { HOME: home, ...env }, homeDirectory: home, uid: 0, gid: 0, input: new PassThrough() };
    const status = await run(args, { ...surroundings, output, binaryOutput: output, errors });
    return { status, stdout: output.heard(), stderr: errors.heard() };
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

class Ear extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  heard(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
