import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { DecisionLog, errorJson } from "../../src/cli/command-output.ts";
import { paintFor } from "../../src/cli/display.ts";
import { errorReportOf } from "../../src/cli/error-report.ts";
import { eventLine } from "../../src/cli/event-line.ts";
import { debugLines, errorLines } from "../../src/cli/report.ts";
import { unpack } from "../../src/unpack/unpack.ts";
import { eventually } from "../support/eventually.ts";
import { image, stored } from "../support/image.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { removeTree } from "../support/remove-tree.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { isThorough } from "../support/thorough.ts";
import { readTree } from "../support/tree.ts";
import { differences } from "../support/tree-differences.ts";
import { weather } from "../support/weather.ts";
import { distinctBytes, type Puller, puller } from "./pulling.ts";

const storms = isThorough ? 5 : 3;
const pullsInEach = isThorough ? 40 : 16;
const pullsAtOnce = 4;
const seed = process.env.OCI_UNPACK_STORM_SEED ?? "1";
const user = { username: "alice", password: "planted-password" };
const signature = "planted-signature";
const platform = "linux/amd64";

const sample = image([...sampleLayers(), tar(file("opt/large", distinctBytes(60_000)))]);
const digest = sample.manifest.descriptor.digest;

/** How pulls ended. */
interface Outcomes {
  right: number;
  readonly wrong: unknown[];
  readonly errors: Map<string, number>;
}

test(`security 14: ${storms * pullsInEach} pulls through every kind of fault end in the exact tree or in one error of ours, and leave nothing (seed ${seed})`, async () => {
  await using temporary = await scratch();
  const expected = await undisturbed(join(temporary.directory, "undisturbed"));
  const outcomes: Outcomes = { right: 0, wrong: [], errors: new Map() };
  const descriptors = openDescriptors();
  const memory: number[] = [];
  for (let number = 0; number < storms; number++) {
    await storm(number, outcomes, { directory: temporary.directory, expected });
    await settled(descriptors);
    memory.push(await usedBytes());
  }
  assert.deepEqual(outcomes.wrong, []);
  assert.deepEqual(await readdir(temporary.directory), [], "nothing was left behind");
  assert.ok(outcomes.right > (storms * pullsInEach) / 8, `${outcomes.right} went well`);
  assert.ok(outcomes.errors.size > 3, `errors: ${JSON.stringify([...outcomes.errors])}`);
  // What a first storm makes, compiled code above all, stays; what each further one makes must not.
  const [, before = 0, ...later] = memory;
  assert.ok(Math.min(...later) - before < pullsInEach * 20_000, `bytes in use after each storm: ${memory.join(", ")}`);
});

async function undisturbed(directory: string): Promise<ReturnType<typeof readTree>> {
  await using registry = await startRegistry();
  const { rootfs } = await unpack(stored(registry, "calm", sample), directory, { platform });
  const tree = readTree(rootfs);
  removeTree(directory);
  return tree;
}

interface Expectation {
  readonly directory: string;
  readonly expected: ReturnType<typeof readTree>;
}

/** Pulls the image some times, from a registry and a CDN that both break about one reply in five. */
async function storm(number: number, outcomes: Outcomes, { directory, expected }: Expectation): Promise<void> {
  await using cdn = await startRegistry({ address: "127.0.0.2" });
  await using registry = await startRegistry({
    access: { type: "token", ...user },
    redirectBlobs: (blob, { path }) => `${cdn.url}/cdn/${blob}?from=${path}&signature=${signature}`,
    content: cdn.content,
  });
  for (const one of [registry, cdn]) one.always(/./, weather({ seed: `${seed} ${number}`, signature }));
  const numbers = Array.from({ length: pullsInEach }, (_, index) => number * pullsInEach + index);
  const lane = async () => {
    for (let next = numbers.shift(); next !== undefined; next = numbers.shift()) {
      const name = stored(registry, `storm/${next}`, sample);
      const target = join(directory, String(next));
      const deadlines = { stallMilliseconds: 1_000, responseMilliseconds: 1_000, documentMilliseconds: 3_000 };
      await using client = puller({ credentials: user, deadlines });
      // By tag and by digest in turn: they believe different things.
      const reference = next % 2 === 0 ? name : name.replace(/:latest$/, `@${digest}`);
      const told = await pulled(reference, target, client, outcomes, expected);
      assert.deepEqual(plantedIn(told, registry), [], "no secret is told");
    }
  };
  await Promise.all(Array.from({ length: pullsAtOnce }, lane));
  assert.ok(registry.tokens.length > pullsInEach / 2);
}

/** Gives every word that was said, to programs and to people. */
async function pulled(
  reference: string,
  target: string,
  client: Puller,
  outcomes: Outcomes,
  expected: Expectation["expected"],
): Promise<string> {
  const trail = new DecisionLog();
  const told: string[] = [];
  try {
    const { rootfs } = await unpack(reference, target, {
      ...{ platform, source: client.source },
      onEvent: (event) => {
        trail.record(event);
        told.push(JSON.stringify(event), eventLine(event, { verbose: true, explain: true }) ?? "");
      },
    });
    outcomes.wrong.push(...differences(readTree(rootfs), expected));
    outcomes.right++;
    removeTree(target);
  } catch (error) {
    if (!isOciUnpackError(error)) outcomes.wrong.push(error);
    else outcomes.errors.set(error.code, (outcomes.errors.get(error.code) ?? 0) + 1);
    const failure = errorReportOf(error);
    const plain = paintFor({ write() {} }, {});
    told.push(...errorLines(failure, plain), ...debugLines(error), errorJson(failure, trail));
  }
  return `${told.join("\n")}\n${JSON.stringify(client.events)}`;
}

function plantedIn(told: string, { tokens }: RegistryDouble): string[] {
  const basic = Buffer.from(`${user.username}:${user.password}`).toString("base64");
  return [user.password, signature, basic, ...tokens].filter((secret) => told.includes(secret));
}

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** Sockets close a moment after they are told to. */
async function settled(descriptors: number): Promise<void> {
  await eventually(
    () => openDescriptors() <= descriptors,
    () => `${openDescriptors()} descriptors are open, and there were ${descriptors}`,
  );
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** The least of some moments: what ended threads and sockets held is given back a little later on a busy machine. */
async function usedBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let moment = 0; moment < 5; moment++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}
