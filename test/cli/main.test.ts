import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry, ociUnpack } from "../support/oci-unpack.ts";
import { sandboxEnvironment } from "../support/sandbox.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";

test("--version prints the version of the package, and nothing else", async () => {
  const { version } = JSON.parse(await readFile(new URL(import.meta.resolve("oci-unpack/package.json")), "utf8"));
  assert.deepEqual(await ociUnpack(["--version"]), {
    status: 0,
    signal: undefined,
    stdout: `${version}\n`,
    stderr: "",
  });
});

test("--help goes to standard output, so that it can be paged", async () => {
  const { status, stdout, stderr } = await ociUnpack(["--help"]);
  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /^Usage: oci-unpack \[unpack\] \[OPTIONS\] IMAGE DIRECTORY\n/);
});

test("--limit help lists the limits", async () => {
  const { status, stdout } = await ociUnpack(["--limit", "help"]);
  assert.equal(status, 0);
  assert.match(stdout, /^ {2}totalBytes +1T$/m);
});

const [nodeMajor = 0] = process.versions.node.split(".").map(Number);
const skip = nodeMajor < 24 && "the command ends at once on this Node";

test("the command comes to Node's own end, where nothing is left to wait for", { skip }, async () => {
  await using place = await scratch();
  const [telling, layout] = [join(place.directory, "telling.cjs"), join(place.directory, "layout")];
  await writeFile(telling, 'const { exit } = process; process.exit = (code) => (console.error("EXIT"), exit(code));');
  await writeImageLayout(layout, [{ tag: "x", images: [image([tar(file("a"))])] }]);
  for (const args of [
    ["--version"],
    ["ls", "--quiet", `oci:${layout}:x`],
    ["--quiet", `oci:${layout}:x`, join(place.directory, "out")],
    ["--quiet", `oci:${layout}:y`, join(place.directory, "out")],
    ["--verify", "oci:"],
  ]) {
    const { stderr } = await ociUnpack(args, { env: { NODE_OPTIONS: `--require=${telling}` } });
    assert.doesNotMatch(stderr, /EXIT/, args.join(" "));
  }
});

test("a wrong command line ends with 2, an error and a hint, on standard error", async () => {
  assert.deepEqual(await ociUnpack(["--platfrom", "linux/arm64", "alpine", "dir"]), {
    status: 2,
    signal: undefined,
    stdout: "",
    stderr: 'error: cannot read the command line: unknown option "--platfrom"\nhint: did you mean --platform?\n',
  });
});

test("with --json even a wrong command line is told as JSON", async () => {
  const { status, stdout } = await ociUnpack(["--json", "alpine"]);
  assert.equal(status, 2);
  assert.deepEqual(JSON.parse(stdout), {
    error: {
      code: "INVALID_OPTION",
      message: "cannot unpack: DIRECTORY is missing",
      hint: "try oci-unpack alpine ./rootfs",
    },
  });
});

test("a configuration file that is missing or broken is a failure with file and line, and no wrong command line", async () => {
  await using place = await scratch();
  const broken = join(place.directory, "auth.json");
  const absent = join(place.directory, "absent.json");
  await writeFile(broken, '{\n  "auths": {\n    oops\n');
  const pull = ["127.0.0.1:1/x", join(place.directory, "target")];
  const configured = (path: string) => ({ env: { CONTAINERS_REGISTRIES_CONF: path } });
  for (const [args, options, message] of [
    [["logout", "--authfile", broken, "r.example"], {}, `cannot use "${broken}": line 3 is not JSON`],
    [["--authfile", absent, ...pull], {}, `cannot read "${absent}": there is no such file`],
    [pull, configured(broken), `cannot use "${broken}": line 1 is not TOML`],
    [pull, configured(absent), `cannot read "${absent}": there is no such file`],
    [["--tls-ca", broken, ...pull], {}, `cannot use "${broken}": it is not PEM`],
    [
      ["--hosts-dir", absent, ...pull],
      {},
      `cannot use "${absent}" as the directory of hosts: there is no such directory`,
    ],
  ] as const) {
    const { status, stderr } = await ociUnpack(args, options);
    const [error, hint = ""] = stderr.split("\n");
    assert.deepEqual([status, error], [1, `error: ${message}`]);
    assert.match(hint, /^hint: (?!.*(--help|`))/);
  }
});

test("hostile arguments are shown, not obeyed", async () => {
  const { stderr } = await ociUnpack(["--\x1b[2J\u202e"]);
  assert.equal(stderr.split("\n")[0], 'error: cannot read the command line: unknown option "--\\x1b[2J\\u{202e}"');
});

test("a reader who leaves early is no reason to crash", async () => {
  const { stderr } = await promisify(execFile)("sh", [
    "-c",
    `"$0" "$1" --help | true; echo "$?" >&2`,
    process.execPath,
    commandEntry,
  ]);
  assert.equal(stderr, "0\n");
  const closed = await promisify(execFile)("sh", [
    "-c",
    `"$0" "$1" --help >&-; "$0" "$1" --nonsense 2>&-; echo "$?"`,
    process.execPath,
    commandEntry,
  ]);
  assert.equal(closed.stdout, "2\n");
});

test("an unpacking starts two threads, before it reads any of the library", async () => {
  await using place = await scratch();
  await writeImageLayout(join(place.directory, "layout"), [{ tag: "x", images: [image([tar(file("motd"))])] }]);
  const watch = join(place.directory, "watch.cjs");
  await writeFile(watch, watchingThreads);
  const name = `oci:${place.directory}/layout:x`;
  const args = ["-p", "linux/amd64", "--quiet", name, join(place.directory, "target")];
  const NODE_OPTIONS = `${sandboxEnvironment.NODE_OPTIONS ?? ""} --require ${watch}`;
  const { status, stderr } = await ociUnpack(args, { env: { NODE_OPTIONS } });
  assert.equal(stderr, "apply-worker while run.js is not there\ndecompress-worker while run.js is not there\n");
  assert.equal(status, 0);
});

/** Tells of each thread that is started, and whether `run.js` had begun. */
const watchingThreads = `
const threads = require("node:worker_threads");
const path = require("node:path");
threads.Worker = class extends threads.Worker {
  constructor(url, options) {
    super(url, options);
    const isThere = Object.keys(require.cache).some((name) => path.basename(name) === "run.js");
    const name = path.basename(url.pathname).replace(/\\..*/, "");
    process._rawDebug(name + " while run.js is " + (isThere ? "there" : "not there"));
  }
};
`;

test("small answers do not load the library", async () => {
  const loaded = `process.on("exit", () => {
    const heavy = process.moduleLoadList.filter((name) => /zlib|NativeModule (?:http|https|tls)$/.test(name));
    console.log(JSON.stringify(heavy));
  });
  process.argv.splice(1, 0, "oci-unpack");
  process.argv[2] = "--version";
  await import(${JSON.stringify(commandEntry)});`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", loaded]);
  assert.equal(stdout.trim().split("\n").at(-1), "[]");
});
