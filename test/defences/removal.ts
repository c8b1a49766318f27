import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "../support/repository.ts";
import type { Defence } from "./defence.ts";

/** How the tests of one title ended; `other` is what failed without having that title. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly other: readonly string[];
  /** How long they took. */
  readonly milliseconds: number;
}

/** Longer than any of the tests takes. */
const mostMilliseconds = 120_000;
/** Without its defence a test may go on for ever, or take all memory: both are failures. So long it is waited for … */
const fewestMilliseconds = 30_000;
/** … and so many times as long as it took with the defence. */
const timesAsLong = 10;

const nothing: Outcome = { passed: 0, failed: 0, other: [], milliseconds: 0 };

/** What the source in `inflate/` is compiled to. */
const inflaterModules = ["src/blob/inflate-module.ts", "src/blob/ahead-module.ts"];

function compiledOf(file: string): string {
  return `build/${file.replace(/\.ts$/, ".js")}`;
}

/** A copy of the source and of everything compiled, in which defences can be taken away. */
export class Removal implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "oci-unpack-defences-"));
  readonly #defences: readonly Defence[];
  /** What came of the tests of a file with all defences in their places, by title. */
  readonly #outcomes = new Map<string, Promise<ReadonlyMap<string, Outcome>>>();

  /** For these defences. */
  constructor(defences: readonly Defence[]) {
    this.#defences = defences;
    process.env.OCI_UNPACK_TESTS = "all"; // the test of a defence may be one of a share that is not tried by default
    for (const name of ["src", "inflate", "build", "docs/schema", "tsconfig.json", "package.json"]) {
      cpSync(repositoryFile(name), this.#path(name), { recursive: true });
    }
    symlinkSync(fileURLToPath(repositoryFile("node_modules")), this.#path("node_modules"));
  }

  /** Runs a defence's test with the defence in its place: once for all tests of its file that are asked for. */
  async outcomeWith({ test: [file, title] }: Defence): Promise<Outcome> {
    const titles = new Set(this.#defences.flatMap(({ test }) => (test[0] === file ? [test[1]] : [])));
    const outcomes = this.#outcomes.get(file) ?? this.#run(file, [...titles], titles.size * mostMilliseconds);
    this.#outcomes.set(file, outcomes);
    return (await outcomes).get(title) ?? nothing;
  }

  /** Runs a defence's test without the defence, which is put back afterwards. */
  async outcomeWithout(defence: Defence): Promise<Outcome> {
    const { file, without, test } = defence;
    const { milliseconds } = await this.outcomeWith(defence);
    const isOfInflater = file.startsWith("inflate/");
    const sources = isOfInflater ? inflaterModules : [file];
    const changed = [file, ...sources, ...sources.map(compiledOf)].map((name) => this.#path(name));
    const before = new Map(changed.map((path) => [path, readFileSync(path)]));
    try {
      writeFileSync(this.#path(file), removed(readFileSync(this.#path(file), "utf8"), without));
      if (isOfInflater) execFileSync(process.execPath, [this.#path("inflate", "build.js")]);
      this.#compile(sources);
      const [name, title] = test;
      const outcomes = await this.#run(name, [title], fewestMilliseconds + timesAsLong * milliseconds);
      return outcomes.get(title) ?? nothing;
    } finally {
      for (const [path, bytes] of before) writeFileSync(path, bytes);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  /** Compiles some files. Their types may be wrong now: something that was declared is not used any more. */
  #compile(files: readonly string[]): void {
    const options = { noCheck: true, noResolve: true };
    const project = { extends: "./tsconfig.json", compilerOptions: options, files, include: [] };
    writeFileSync(this.#path("some-files.json"), JSON.stringify(project));
    const compiler = this.#path("node_modules", "typescript", "bin", "tsc");
    execFileSync(process.execPath, [compiler, "-p", this.#path("some-files.json")], { cwd: this.#directory });
  }

  async #run(file: string, titles: readonly string[], timeout: number): Promise<ReadonlyMap<string, Outcome>> {
    const outcomes = new Map(titles.map((title) => [title, { ...nothing, other: [] as string[] }]));
    const tests = run({
      files: [this.#path("build", "test", `${file}.test.js`)],
      testNamePatterns: titles.map((title) => new RegExp(title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))),
      timeout,
    });
    tests.on("test:pass", ({ name, skip, details }) => {
      for (const [title, outcome] of outcomes) {
        if (!name.includes(title) || skip !== undefined) continue;
        outcome.passed += 1;
        outcome.milliseconds += details.duration_ms;
      }
    });
    tests.on("test:fail", ({ name, details }) => {
      const isOver = "failureType" in details.error && details.error.failureType === "testTimeoutFailure";
      for (const [title, outcome] of outcomes) {
        if (name.includes(title) || isOver || hasCrashed(details.error)) outcome.failed += 1;
        else outcome.other.push(name);
      }
    });
    await tests.resume().toArray();
    return outcomes;
  }

  #path(...names: readonly string[]): string {
    return join(this.#directory, ...names);
  }
}

/** Whether it was the process of a test file that came to its end: a signal did that, which Node's own abort for want of memory is. */
function hasCrashed(error: object): boolean {
  const { signal, exitCode } = { signal: null, exitCode: null, ...error };
  return signal !== null || exitCode === 128 + constants.signals.SIGABRT;
}

/** Source without a defence; an error where what is to be taken away is not there, or there twice. */
export function removed(source: string, [text, rest]: Defence["without"]): string {
  const parts = source.split(text);
  if (parts.length === 2) return parts.join(rest);
  throw new Error(`cannot remove ${JSON.stringify(text)}: it stands there ${parts.length - 1} times`);
}
