import assert from "node:assert/strict";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { run } from "../../src/cli/run.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { scratch } from "../support/scratch.ts";
import { assertClearError } from "./clear-error.ts";
import { withUsualOptions } from "./usual.ts";

/** How the command failed, by its own account. */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** A place to go wrong in. */
export interface Stage extends AsyncDisposable {
  /** What is read lies here. */
  readonly directory: string;
  /** What is to be written is to lie here. */
  readonly place: string;
  /** Temporary files go here. */
  readonly temporary: string;
  /** Runs the command in this process and insists on its success. */
  succeeds(args: readonly string[], env?: Environment): Promise<void>;
  /** Unpacks by way of a store, whatever comes of it. */
  keeps(name: string, store: string): Promise<void>;
  /** Runs the command in this process and insists on one clear error, with nothing left behind. */
  fails(args: readonly string[], env?: Environment): Promise<Told>;
  /** The same in a process of its own, which has a standard input. */
  failsAlone(args: readonly string[], input: Uint8Array): Promise<Told>;
}

export type Environment = Readonly<Record<string, string>>;

interface Ending {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export async function setStage(): Promise<Stage> {
  const { directory, ...remove } = await scratch();
  const place = join(directory, "place");
  const temporary = join(directory, "tmp");
  for (const path of [place, temporary]) await mkdir(path);
  const failing = async (run: () => Promise<Ending>): Promise<Told> => {
    const found = async () => [await readdir(place, { recursive: true }), await readdir(temporary)];
    const before = await found();
    const { status, stdout, stderr } = await run();
    assert.ok(status === 1 || status === 2, `it ended with ${status}`);
    assertClearError(stderr);
    assert.deepEqual(await found(), before, "what is left");
    return JSON.parse(stdout).error;
  };

  return {
    directory,
    place,
    temporary,
    async succeeds(args, env) {
      const { status, stderr } = await performed(withUsualOptions(args), temporary, env);
      assert.equal(status, 0, stderr);
    },
    async keeps(name, store) {
      await performed(withUsualOptions(["--store", store, name, join(directory, "kept")]), temporary);
    },
    fails: (args, env) => failing(() => performed(withUsualOptions(["--json", ...args]), temporary, env)),
    failsAlone: (args, input) =>
      failing(() => ociUnpack(withUsualOptions(["--json", ...args]), { input, env: { TMPDIR: temporary } })),
    ...remove,
  };
}

async function performed(args: readonly string[], temporary: string, env: Environment = {}): Promise<Ending> {
  const [output, errors] = [new Ear(), new Ear()];
  // Where temporary files go is asked of the process by Node itself.
  const before = process.env.TMPDIR;
  process.env.TMPDIR = temporary;
  try {
    const home = join(temporary, "nobody");
    const surroundings = {
      env: { PATH: process.env.PATH, HOME: home, ...env },
      ...{ homeDirectory: home, uid: 0, gid: 0, input: new PassThrough() },
    };
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
