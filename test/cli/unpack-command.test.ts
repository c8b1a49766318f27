import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import { OciUnpackError } from "../../src/base/errors.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { DecisionLog } from "../../src/cli/command-output.ts";
import { parseCommand } from "../../src/cli/options.ts";
import { type OutputLibrary, outputMaker } from "../../src/cli/output-maker.ts";
import { type UnpackLibrary, unpackCommand } from "../../src/cli/unpack-command.ts";
import type { UnpackCommand } from "../../src/cli/unpack-options.ts";
import type { EnvironmentSourceOptions } from "../../src/configuration/source-from-environment.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { UnpackOptions, UnpackResult } from "../../src/operation/options.ts";
import { store } from "../../src/store/store.ts";
import { resolved, unpacked } from "./progress-events.ts";

const result: UnpackResult = {
  reference: "docker.io/library/alpine:latest",
  digest: digestOf(new Uint8Array(0)),
  platform: { os: "linux", architecture: "amd64" },
  rootfs: "/tmp/alpine/rootfs",
  config: "/tmp/alpine/config.json",
  layers: 1,
  entries: 10,
  downloadedBytes: 1000,
  unpackedBytes: 3000,
  skipped: [],
  skippedCount: 0,
  warnings: {},
  sandbox: { state: "enforced", abi: 7 },
  milliseconds: 500,
};

test("without options nothing goes to standard output", async () => {
  const { status, output, errors } = await performed(["alpine", "dir"]);
  assert.deepEqual([status, output], [0, ""]);
  assert.deepEqual(errors.split("\n"), [
    `registry.example/app:1 is sha256:${"0".repeat(64)} (linux/amd64, 1 layer, 1.00 kB)`,
    "layer 1 of 1: 10 entries",
    "unpacked docker.io/library/alpine:latest (linux/amd64) into /tmp/alpine/rootfs",
    `  ${result.digest}`,
    "  1 layer, 10 entries: 3.00 kB unpacked, 1.00 kB downloaded, in 0.5 s",
    "",
  ]);
});

test("--json writes the result, and nothing else, to standard output", async () => {
  const { output } = await performed(["--json", "alpine", "dir"]);
  assert.deepEqual(JSON.parse(output), result);
});

test("--quiet says nothing about a success", async () => {
  const { output, errors } = await performed(["-q", "alpine", "dir"]);
  assert.deepEqual([output, errors], ["", ""]);
});

test("the library gets what the command line says, and a way to be stopped", async () => {
  const { name, directory, options } = await performed([
    ...["--platform=linux/arm64", "--sandbox=off", "--limit", "entries=5", "alpine", "dir"],
  ]);
  assert.deepEqual([name, directory], ["alpine", "dir"]);
  const { signal, onEvent, source, ...rest } = options ?? {};
  assert.deepEqual(rest, { platform: "linux/arm64", sandbox: "off", limits: { entries: 5 } });
  assert.ok(signal instanceof AbortSignal && onEvent !== undefined && source !== undefined);
});

test("a bundle is for root, or for the user who asks", async () => {
  assert.equal((await performed(["--bundle", "alpine", "dir"])).options?.bundle, true);
  assert.deepEqual((await performed(["--bundle", "--rootless", "alpine", "dir"])).options?.bundle, {
    uid: 1000,
    gid: 1001,
  });
});

test("what the command line says of the connection is added to this machine's configuration", async () => {
  const { sourceOptions } = await performed([
    ...["--plain-http", "--authfile=auth.json", "--hosts-dir=hosts", "--tls-ca=a.pem", "--tls-ca=b.pem"],
    ...["--tls-cert=c.pem", "--tls-key=k.pem", "--insecure-skip-tls-verify", "--strict", "--limit", "manifestBytes=1M"],
    ...["alpine", "dir"],
  ]);
  const { env, homeDirectory, uid, systemDirectory, onEvent, standardInput, ...settings } = { ...sourceOptions };
  assert.deepEqual([env, homeDirectory, uid, systemDirectory], [{}, "/nowhere", 1000, undefined]);
  assert.ok(onEvent);
  assert.deepEqual(settings, {
    plainHttp: true,
    authFile: "auth.json",
    hostsDirectory: "hosts",
    tlsCa: ["a.pem", "b.pem"],
    tlsCert: "c.pem",
    tlsKey: "k.pem",
    insecureSkipTlsVerify: true,
    strict: true,
    limits: { manifestBytes: 1024 ** 2 },
    offline: false,
    index: true,
  });
});

test("a user and password that are given replace stored ones", async () => {
  const { sourceOptions } = await performed(["-u", "me", "--password-stdin", "alpine", "dir"], "s3cret\n");
  assert.deepEqual(sourceOptions?.credentials, { username: "me", password: "s3cret", origin: "the command line" });
});

test("a password keeps its spaces and its own line ends, and loses one that echo added", async () => {
  const { sourceOptions } = await performed(["-u", "me", "--password-stdin", "alpine", "dir"], " a\nb \r\n");
  const credentials = { username: "me", password: " a\nb ", origin: "the command line" };
  assert.deepEqual(sourceOptions?.credentials, credentials);
});

test("an empty or endless password is refused before anyone is asked", async () => {
  const args = ["-u", "me", "--password-stdin", "alpine", "dir"];
  await assert.rejects(performed(args, "\n"), { message: "cannot read a password: standard input is empty" });
  await assert.rejects(performed(args, "x".repeat(70_000)), /longer than 65536 characters/);
});

test("the registry client is closed, whatever came of it", async () => {
  assert.equal((await performed(["alpine", "dir"])).closed, 1);
  const failing = performed(["alpine", "dir"], "", () => {
    throw new OciUnpackError("NOT_FOUND", "cannot pull alpine: no such image");
  });
  await assert.rejects(failing, { code: "NOT_FOUND" });
  assert.equal(latest.closed, 1);
});

test("no signal handler stays behind, whatever came of it", async () => {
  const counts = () => ["SIGINT", "SIGTERM", "SIGHUP"].map((name) => process.listenerCount(name));
  const before = counts();
  await performed(["alpine", "dir"]);
  await assert.rejects(
    performed(["alpine", "dir"], "", () => {
      throw new Error("unforeseen");
    }),
  );
  assert.deepEqual(counts(), before);
});

interface Performance {
  status?: number;
  name?: string;
  directory?: string;
  options?: UnpackOptions;
  sourceOptions?: EnvironmentSourceOptions;
  closed: number;
  output: string;
  errors: string;
}

let latest: Performance;

/** Performs a command line with a library that only remembers what it was asked. */
async function performed(
  args: readonly string[],
  input = "",
  outcome: () => UnpackResult = () => result,
): Promise<Performance> {
  const performance: Performance = { closed: 0, output: "", errors: "" };
  latest = performance;
  const library: UnpackLibrary & OutputLibrary = {
    defaultLimits,
    machinePolicy: async () => "/policy.json",
    async sourceFromEnvironment(_name, sourceOptions) {
      Object.assign(performance, { sourceOptions });
      const close = async () => {
        performance.closed++;
      };
      return { image: () => assert.fail("the library asks, not the command"), [Symbol.asyncDispose]: close };
    },
    store,
    unpackOverlay: () => assert.fail("no overlay was asked for"),
    unpackArtifact: () => assert.fail("no artifact was asked for"),
    copy: () => assert.fail("no copy was asked for"),
    exportRootfs: () => assert.fail("no archive was asked for"),
    async unpack(name, directory, options) {
      Object.assign(performance, { name, directory, options });
      options?.onEvent?.(resolved(1000));
      options?.onEvent?.(unpacked(0, 10));
      return outcome();
    },
  };
  const processContext = {
    env: {},
    homeDirectory: "/nowhere",
    uid: 1000,
    gid: 1001,
    input: Readable.from([Buffer.from(input)]),
    output: { write: (text: string) => (performance.output += text) },
    binaryOutput: new PassThrough(),
    errors: { write: (text: string) => (performance.errors += text) },
  };
  const status = await unpackCommand(
    parseCommand(args, {}) as UnpackCommand,
    processContext,
    new DecisionLog(),
    library,
    outputMaker(library),
  );
  return Object.assign(performance, { status });
}
