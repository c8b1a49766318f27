import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Room, roomRows, rooms } from "./architecture/rooms.ts";
import { repositoryFile } from "./support/repository.ts";
import { type Import, type SourceFile, sourceFiles } from "./support/source-files.ts";

const files = sourceFiles("src");
const byPath = new Map(files.map((file) => [file.path, file]));

test("the imports of all source files are understood", () => {
  assert.ok(files.length > 50);
  const unknown = imports().filter(({ file }) => file !== undefined && !byPath.has(file));
  assert.deepEqual(unknown.map(described), []);
});

test("each room of the house uses the rooms that it may use, and no others", () => {
  const plan = new Map<string, Room>(Object.entries(rooms));
  const violations = imports().filter(({ from, file }) => {
    const [user, used] = [roomOf(from), roomOf(file ?? from)];
    return user !== used && plan.get(user)?.uses.includes(used) !== true;
  });
  assert.deepEqual(violations.map(described), []);
  const folders = new Set(files.map(({ path }) => roomOf(path)));
  assert.deepEqual([...folders].sort(), [...plan.keys()].sort(), "and index.ts is the only loose file");
});

test("no room uses one on its own floor or above, and none may use what it does not", () => {
  const plan = new Map<string, Room>(Object.entries(rooms));
  const used = new Set(imports().map(({ from, file }) => `${roomOf(from)} ${roomOf(file ?? from)}`));
  const wrong = [...plan].flatMap(([name, { floor, uses }]) =>
    uses
      .filter((other) => (plan.get(other)?.floor ?? floor) >= floor || !used.has(`${name} ${other}`))
      .map((other) => `${name} ${other}`),
  );
  assert.deepEqual(wrong, []);
});

test("ARCHITECTURE.md shows the plan of the house", () => {
  const page = readFileSync(repositoryFile("ARCHITECTURE.md"), "utf8");
  const shown = page.split("\n").filter((line) => /^\| \d+ \| `src\//.test(line));
  assert.equal(shown.join("\n"), roomRows());
});

test("what runs on confined threads is loaded by these alone", () => {
  const jobs = /-job\.ts$/;
  const loaders = imports().filter(
    ({ from, file, isType }) => !isType && jobs.test(file ?? "") && !inFolder(from, "threads") && !jobs.test(from),
  );
  assert.deepEqual(loaders.map(described), []);
});

test("oci/ and tar/ compute: same bytes in, same values out", () => {
  const allowed = new Set(["node:crypto", "node:buffer"]);
  const violations = imports(inFolders("oci", "tar")).filter(
    ({ specifier, file }) => file === undefined && !allowed.has(specifier),
  );
  assert.deepEqual(violations.map(described), []);
  assert.deepEqual(
    filesThatSay(/\bDate\.now\(|\bperformance\b|\bprocess\.|\bMath\.random\(/, inFolders("oci", "tar")),
    [],
  );
});

test("only linux/ speaks C", () => {
  const users = imports().filter(({ specifier, from }) => specifier === "koffi" && !inFolder(from, "linux"));
  assert.deepEqual(users.map(described), []);
});

test("what makes no files of an image loads linux/ in system/ alone, where it is Linux that it runs on", () => {
  const threads = ["ahead", "archive", "decompress", "digest", "files", "tree"].map(
    (name) => `src/threads/${name}-worker.ts`,
  );
  const entries = ["src/index.ts", "src/cli/main.ts", ...threads];
  for (const entry of entries) assert.ok(byPath.has(entry), entry);
  // What these load when they are needed is only for making files of an image, or for comparing with them.
  const onDisk = inFolders("unpack", "overlay", "sync", "verify", "system");
  const loaded = reachable(entries, ({ isDynamic }, from) => !isDynamic || !onDisk(from));
  assert.ok(loaded.size > 300);
  assert.deepEqual([...loaded].filter((path) => inFolder(path, "linux")).sort(), []);
  const loaders = imports(inFolders("system")).filter(({ specifier, isType }) => !isType && /linux/.test(specifier));
  assert.deepEqual(
    loaders.filter(({ isDynamic, from }) => !isDynamic && from !== "src/system/linux-thread.ts").map(described),
    [],
  );
});

test("only http/http.ts opens connections, and https.ts for it", () => {
  const openers = /^src\/http\/https?\.ts$/;
  const networking = /^(?:node:)?(?:https?|http2|net|tls|dgram|dns|dns\/promises|undici)$/;
  // What these modules offer besides connections.
  const harmless = /^(?:BlockList|isIP|isIPv4|isIPv6|STATUS_CODES|createSecureContext|rootCertificates|TLSSocket)$/;
  const violations = imports().filter(
    ({ specifier, from, names, isType }) =>
      networking.test(specifier) &&
      !isType &&
      !openers.test(from) &&
      !(names.join() === "Socket" && from === "src/source/local/named-pipe.ts") && // of a descriptor, connected to none
      !(names.length > 0 && names.every((name) => harmless.test(name))) &&
      !(names.join() === "*" && specifier === "node:tls"),
  );
  assert.deepEqual(violations.map(described), []);
  assert.deepEqual(
    filesThatSay(/\.connect\(/, (path) => path === "src/source/local/named-pipe.ts"),
    [],
  );
  const global = /(?<![.#\w])fetch\(|\bnew WebSocket\(|\btls\w*\.connect\(/;
  assert.deepEqual(
    filesThatSay(global, (path) => !openers.test(path)),
    [],
  );
  const users = imports().filter(
    ({ file, from, names }) =>
      (file === "src/http/https.ts" && from !== "src/http/http.ts") ||
      (file === "src/http/node-http.ts" && !openers.test(from) && names.join() !== "STATUS_CODES"),
  );
  assert.deepEqual(users.map(described), []);
  assert.deepEqual(
    filesThatSay(
      /\bgetBuiltinModule\b|\bcreateRequire\b/,
      (path) =>
        path !== "src/http/node-http.ts" &&
        path !== "src/base/version.ts" &&
        path !== "src/base/on-demand.ts" &&
        path !== "src/linux/libc.ts" &&
        !inFolder(path, "cli"),
    ),
    [],
  );
});

test("only the command touches the process it runs in", () => {
  const touched = new RegExp(
    [
      String.raw`\bprocess\.(?:env|argv|cwd|chdir|umask|on|once|off|exit|exitCode|kill|abort|std(?:in|out|err)|set\w+id)\b`,
      String.raw`\bconsole\.`,
      String.raw`\bos\.(?:homedir|userInfo|setPriority)\b`,
    ].join("|"),
  );
  // A lock of a process that is no more counts for nothing: the signal 0 asks whether there is one. And an exit waits for
  // threads that load native code, or Node would abort the process.
  assert.deepEqual(
    filesThatSay(touched, (path) => !inFolder(path, "cli")),
    ["src/system/claims.ts", "src/worker/started-worker.ts"],
  );
  const imported = imports((path) => !inFolder(path, "cli")).filter(
    ({ specifier, names }) =>
      (specifier === "node:process" && !names.every((name) => /^(?:arch|platform|version|versions)$/.test(name))) ||
      (specifier === "node:os" && names.some((name) => /^(?:homedir|userInfo|setPriority)$/.test(name))) ||
      /^node:(?:readline|repl|tty)/.test(specifier),
  );
  assert.deepEqual(imported.map(described), []);
});

test("what Node calls an error is asked in one place, and where the command tells errors without the library", () => {
  assert.deepEqual(
    filesThatSay(/"code" in /, () => true),
    ["src/base/system-error.ts", "src/cli/error-report.ts"],
  );
});

test("no two files need each other", () => {
  assert.deepEqual(cycles(), []);
});

test("an exported type has a name that no other exported type has", () => {
  const declaration = /^export (?:declare )?(?:abstract )?(?:class|interface|type) (\w+)/gm;
  const names = files.flatMap(({ text }) => [...text.matchAll(declaration)].map(([, name = ""]) => name));
  const several = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  assert.deepEqual([...several], []);
});

test("no literal is spread into another: the formatter may break lines as it does elsewhere", () => {
  assert.deepEqual(
    filesThatSay(/\.\.\.\{/, () => true),
    [],
  );
});

test("nothing is exported for its test alone", () => {
  const used = new Set(
    [...imports(), ...sourceFiles("manual").flatMap((file) => file.imports)].flatMap(({ file, names, types }) => {
      return [...names, ...types].map((name) => `${file} ${name}`);
    }),
  );
  const usedWhole = new Set(
    imports().flatMap(({ file, names, types }) => ([...names, ...types].every((name) => name === "*") ? [file] : [])),
  );
  const testOnly = ["test", "bench", "demo"]
    .flatMap(sourceFiles)
    .flatMap((file) => file.imports)
    .filter(({ file }) => file !== undefined && byPath.has(file) && file !== "src/index.ts" && !usedWhole.has(file))
    .flatMap(({ file, names, types }) => [
      ...names.map((name) => ({ file, name })),
      ...types.filter((name) => !saysTwice(file, name)).map((name) => ({ file, name })),
    ])
    .filter(({ file, name }) => !used.has(`${file} ${name}`));
  assert.deepEqual([...new Set(testOnly.map(({ file, name }) => `${file}: ${name}`))].sort(), []);
});

test("what runs on confined threads waits for nobody: no asynchronous files, streams, names or connections", () => {
  // libuv's pool is shared by all threads of the process: on Node 20 it escapes a confinement, on later ones it spreads it.
  const asynchronous =
    /^node:(?:fs\/promises|stream|stream\/promises|dns|dns\/promises|https?|http2|net|tls|child_process|timers\/promises)$/;
  const entries = files.map(({ path }) => path).filter((path) => /^src\/threads\/[a-z-]+-worker\.ts$/.test(path));
  assert.ok(entries.length >= 4);
  const closure = reachable(entries);
  assert.deepEqual(
    imports((path) => closure.has(path))
      .filter(({ specifier, isType }) => !isType && asynchronous.test(specifier))
      .map(described),
    [],
  );
  const callbacks = /\bfs\.promises\b|\bcreate(?:Read|Write)Stream\(|\.async\(|\.pipe\(|\bpipeline\(/;
  assert.deepEqual(
    filesThatSay(callbacks, (path) => closure.has(path)),
    [],
  );
});

test("no loop has a resource of its own: the bundler carries an error of one turn into the next", () => {
  const loop = /^\s*(?:for|while|do)\b/;
  const beginning = /\bfunction\b|=>\s*\{?$|^\s*(?!\s|(?:if|else|switch|try|catch|for|while|do)\b)[\w #*]+\(.*\{$/;
  const inLoops = files.flatMap(({ path, text }) => {
    const lines = text.split("\n");
    return lines.flatMap((line, number) => {
      if (!/^\s*(?:await )?using\b/.test(line)) return [];
      let depth = indentation(line);
      for (const above of lines.slice(0, number).reverse()) {
        if (above.trim() === "" || indentation(above) >= depth) continue;
        depth = indentation(above);
        if (loop.test(above)) return [`${path}:${number + 1}`];
        if (beginning.test(above)) break;
      }
      return [];
    });
  });
  assert.deepEqual(inLoops, []);
});

test("security 19: every package that is imported is declared, and they are of four projects at most", () => {
  const manifest = JSON.parse(readFileSync(repositoryFile("package.json"), "utf8"));
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
  const imported = new Set(
    imports().flatMap(({ specifier }) =>
      /^[^.]/.test(specifier) && !specifier.startsWith("node:") ? [specifier] : [],
    ),
  );
  assert.deepEqual([...imported].sort(), declared.sort());
  const projects = new Set(declared.map((name) => name.split("/")[0]));
  assert.ok(projects.size <= 4);
});

function indentation(line: string): number {
  return line.search(/\S/);
}

/** A type that its own file uses is part of what that file exports. */
function saysTwice(path: string | undefined, name: string): boolean {
  const text = (path === undefined ? undefined : byPath.get(path)?.text) ?? "";
  return [...text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length > 1;
}

type From = Import & { readonly from: string };

function imports(where: (path: string) => boolean = () => true): From[] {
  return files
    .filter(({ path }) => where(path))
    .flatMap((file) => file.imports.map((one) => ({ ...one, from: file.path })));
}

function described({ from, specifier, names, types }: From): string {
  return `${from} imports { ${[...names, ...types].join(", ")} } from ${specifier}`;
}

function filesThatSay(pattern: RegExp, where: (path: string) => boolean): string[] {
  return files.filter(({ path, text }) => where(path) && pattern.test(text)).map(({ path }) => path);
}

/** `src/oci/digest.ts` is in `oci`, `src/index.ts` is a room of its own. */
function roomOf(path: string): string {
  return path.split("/")[1] ?? "";
}

function inFolder(path: string, folder: string): boolean {
  return path.startsWith(`src/${folder}/`);
}

function inFolders(...folders: readonly string[]): (path: string) => boolean {
  return (path) => folders.some((folder) => inFolder(path, folder));
}

/** All files that are loaded when these are, by the imports that are to be followed. */
function reachable(entries: readonly string[], follows: Follows = () => true): Set<string> {
  const found = new Set<string>();
  const pending = [...entries];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    pending.push(...neighbours(byPath.get(path), { follows }));
  }
  return found;
}

/** Cycles of imports, each as the way back to its beginning. Types count too: who needs another's types knows of it. */
function cycles(): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) found.push([...way.slice(start), path].join(" → "));
    if (start >= 0 || done.has(path)) return;
    for (const next of neighbours(byPath.get(path), { types: true })) visit(next, [...way, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}

type Follows = (one: Import, from: string) => boolean;

interface Neighbourhood {
  readonly types?: boolean;
  readonly follows?: Follows;
}

function neighbours(
  file: SourceFile | undefined,
  { types = false, follows = () => true }: Neighbourhood = {},
): string[] {
  if (file === undefined) return [];
  const followed = file.imports.filter((one) => (types || !one.isType) && follows(one, file.path));
  return followed.flatMap((one) => (one.file === undefined ? [] : [one.file]));
}
