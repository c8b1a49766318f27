import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { commandEntry } from "../support/oci-unpack.ts";
import { copyProgram } from "../support/program-copy.ts";
import { searchPath, skipUnlessMounting, skipUnlessRoot } from "../support/tools.ts";
import { mountWithoutCase, skipWithoutCaseless } from "../support/without-case.ts";
import { linuxVerbs, portableVerbs, type Run, running, writeImages } from "./verbs.ts";

/** Where the command is tried. */
export interface Platform {
  /** As the table calls it. */
  readonly name: string;
  /** Why it cannot be tried here. */
  readonly skip: false | string;
  readonly open: () => Promise<OpenPlatform>;
}

interface OpenPlatform extends AsyncDisposable {
  readonly run: Run;
  /** Where the images are. */
  readonly place: string;
}

export const platforms: readonly Platform[] = [
  {
    name: "Node without koffi",
    skip: false,
    async open() {
      const { directory, ...opened } = await begin();
      const entry = await copyProgram(join(directory, "program"), { without: /^(?:koffi|@koromix)$/ });
      const run = running([process.execPath, entry], opened.place);
      const isOfImage = ([verb = ""]: readonly string[]) => !/^(?:login|logout|store)$/.test(verb);
      return { ...opened, run: (args, input) => run(isOfImage(args) ? [...args, "--sandbox", "prefer"] : args, input) };
    },
  },
  {
    name: "Node, as on a Mac",
    skip: false,
    async open() {
      const { directory, ...opened } = await begin(mountWithoutCase);
      const entry = await copyProgram(join(directory, "program"), { without: /^$/ });
      const traits = await withTraitsOfMac(directory, dirname(dirname(entry)));
      const node = [process.execPath, "--require", traits, entry];
      const program = skipUnlessMounting() === false ? [...withoutProc, ...node] : node;
      return { ...opened, run: running(program, opened.place, { TMPDIR: opened.place }) };
    },
  },
  runtime("Bun", "bun", []),
  runtime("Deno", "deno", ["run", "--allow-all"]),
];

/** Bun with a program of ours instead of the command. */
export const bunWith = (program: string): Platform => runtime("Bun", "bun", [], program);

/** What of the verbs works: their names, and whether they do. */
export async function tried(
  platform: Platform,
  verbs = [...portableVerbs, ...linuxVerbs],
): Promise<ReadonlyMap<string, boolean>> {
  const results = new Map<string, boolean>();
  await using opened = await platform.open();
  for (const { name, works } of verbs) {
    const worked = works(opened.run, opened.place).then(
      () => true,
      () => false,
    );
    results.set(name, await worked);
  }
  return results;
}

/** Images, and room for what is made of them; where that is possible on the file system that `mount` mounts. */
async function begin(mount?: typeof mountWithoutCase) {
  const directory = await mkdtemp(join(tmpdir(), "oci-unpack-platform-"));
  const mounted = skipUnlessRoot() === false && skipWithoutCaseless() === false ? mount?.(directory) : undefined;
  const place = join(mounted?.directory ?? directory, "place");
  await writeImages(place);
  return {
    directory,
    place,
    async [Symbol.asyncDispose]() {
      mounted?.[Symbol.dispose]();
      await rm(directory, { recursive: true });
    },
  };
}

function runtime(name: string, tool: "bun" | "deno", args: readonly string[], program = commandEntry): Platform {
  return {
    name,
    skip: skipWithoutRuntime(tool),
    async open() {
      const { directory, ...opened } = await begin();
      const environment = { DENO_DIR: directory, DENO_NO_UPDATE_CHECK: "1" };
      return { ...opened, run: running([tool, ...args, program], opened.place, environment) };
    },
  };
}

function skipWithoutRuntime(tool: string): false | string {
  if (searchPath().some((directory) => existsSync(join(directory, tool)))) return false;
  if (process.env.CI !== "true") return `${tool} not found: .ci/run says how it is installed`;
  throw new Error(`cannot leave out a test: ${tool} not found`);
}

/** A namespace in which nothing is in /proc. */
const withoutProc = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"];

/** Gives every thread of a copy of the program the traits of a Mac. Gives the file that gives them to the main thread. */
async function withTraitsOfMac(directory: string, dist: string): Promise<string> {
  const traits = join(directory, "mac.cjs");
  await writeFile(traits, traitsOfMac);
  const threads = join(dist, "threads");
  for (const name of (await readdir(threads)).filter((name) => name.endsWith(".cjs"))) {
    const code = await readFile(join(threads, name), "utf8");
    await writeFile(join(threads, name), `require(${JSON.stringify(traits)});\n${code}`);
  }
  return traits;
}

/** The name of the system; no unnamed files; nothing in /proc. */
const traitsOfMac = `
Object.defineProperty(process, "platform", { value: "darwin" });
const fs = require("node:fs");
const O_TMPFILE = 0o20000000;
const refusal = (path, flags) => {
  const code = String(path).startsWith("/proc") ? "ENOENT" : flags & O_TMPFILE ? "EINVAL" : undefined;
  return code && Object.assign(new Error(code), { code, syscall: "open" });
};
for (const name of ["openSync", "readFileSync"]) {
  const call = fs[name];
  fs[name] = (path, flags, ...rest) => {
    const error = refusal(path, flags);
    if (error) throw error;
    return call(path, flags, ...rest);
  };
}
for (const name of ["open", "readFile"]) {
  const call = fs.promises[name];
  fs.promises[name] = async (path, flags, ...rest) => {
    const error = refusal(path, flags);
    if (error) throw error;
    return await call(path, flags, ...rest);
  };
}
require("node:module").syncBuiltinESMExports();
`;
