import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type UnpackOptions, unpack } from "../../src/index.ts";
import { output } from "../support/command.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { busyboxImage } from "../support/runnable-images.ts";
import { scratch } from "../support/scratch.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";

// umoci writes a bundle's config.json for the same image. Both are flattened to one line for each value; what remains
// different is listed here, with the reason.

/** Whether a value stands in our configuration alone, in umoci's alone, or in both with different values. */
type Difference = "ours" | "umoci's" | "both";

const differences: Readonly<Record<string, readonly [Difference, why: string]>> = {
  ".ociVersion": ["both", "1.0.2 is what the runtimes of today write; nothing newer is used"],
  ".hostname": ["both", "each names itself"],
  ".process.terminal": ["both", "scripts and pipes have no terminal to give"],
  ".process.env": ["both", "the same variables, but the image's own stay in the image's order"],
  ".process.capabilities.ambient": ["umoci's", "they would survive a change to the image's user (CVE-2022-24769)"],
  ".process.capabilities.inheritable": ["umoci's", "likewise"],
  ".process.rlimits": ["umoci's", "the caller's limits hold: 1024 open files are too few for many images"],
  ".mounts[/proc].options": ["ours", "as runc spec writes them today"],
  ".linux.maskedPaths": ["both", "more of /proc tells about the host: acpi, asound, keys"],
  ".linux.readonlyPaths": ["both", "/proc/asound is masked instead"],
  ".annotations.org.opencontainers.image.author": ["both", "a label wins over what is derived (conversion.md)"],
};

const rootlessDifferences: typeof differences = {
  ".mounts[/etc/resolv.conf].destination": [
    "umoci's",
    "what is mounted over the image's files is the caller's decision",
  ],
  ".mounts[/etc/resolv.conf].options": ["umoci's", "likewise"],
  ".mounts[/etc/resolv.conf].source": ["umoci's", "likewise"],
  ".mounts[/etc/resolv.conf].type": ["umoci's", "likewise"],
  ".mounts[/sys].type": ["both", "the type of a bind mount is ignored; runc spec writes none"],
};

const image = () =>
  busyboxImage({
    User: "app",
    Env: ["PATH=/bin:/usr/bin", "GREETING=hello world"],
    WorkingDir: "/home/app",
    Entrypoint: ["/bin/sh", "-c"],
    Cmd: ["exit 0"],
    StopSignal: "SIGUSR1",
    Labels: { "com.example.a": "b", "org.opencontainers.image.author": "a label wins" },
    Volumes: { "/data": {}, "/var/cache": {} },
    ExposedPorts: { "80/tcp": {}, "53/udp": {} },
  });

describe("a bundle's config.json says what umoci's says", {
  skip: skipUnlessRoot() || skipWithout("umoci", "busybox"),
}, () => {
  test("but for what is listed with a reason", () => compare({ bundle: true }, [], differences));
  test("also with a map of ids", () => {
    const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const umociOptions = ["--uid-map", "0:100000:65536", "--gid-map", "0:100000:65536"];
    return compare({ bundle: true, uidMap: map, gidMap: map }, umociOptions, differences);
  });
  test("also for a user without privileges", () =>
    compare({ bundle: { uid: 0, gid: 0 } }, ["--rootless"], { ...differences, ...rootlessDifferences }));
});

async function compare(
  options: UnpackOptions,
  umociOptions: readonly string[],
  expected: typeof differences,
): Promise<void> {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "1", images: [image()] }]);
  const ours = join(place.directory, "ours");
  const theirs = join(place.directory, "theirs");
  await unpack(`oci:${layout}:1`, ours, { ...options, platform: "linux/amd64" });
  await output("umoci", ["unpack", ...umociOptions, "--image", `${layout}:1`, theirs]);
  const [our, their] = await Promise.all([ours, theirs].map(configIn));
  assert.ok(our !== undefined && their !== undefined && our.size > 50);
  const found = new Map<string, Difference>();
  for (const path of new Set([...our.keys(), ...their.keys()])) {
    if (our.get(path) === their.get(path)) continue;
    const which = !our.has(path) ? "umoci's" : !their.has(path) ? "ours" : "both";
    found.set(path.replace(/rlimits\[.*/, "rlimits"), which);
  }
  const wanted = Object.entries(expected).map(([path, [which]]) => [path, which] as const);
  assert.deepEqual(Object.fromEntries([...found].sort()), Object.fromEntries(wanted.toSorted()));
  assert.deepEqual(sorted(our.get(".process.env")), sorted(their.get(".process.env")));
}

async function configIn(bundle: string): Promise<Map<string, string>> {
  return new Map(flattened(JSON.parse(await readFile(join(bundle, "config.json"), "utf8")), ""));
}

/** One entry for each value; members of lists of objects by what they are for. */
function* flattened(value: unknown, path: string): Iterable<readonly [string, string]> {
  if (Array.isArray(value) && typeof value[0] === "object") {
    for (const [index, each] of value.entries()) {
      yield* flattened(each, `${path}[${each.destination ?? each.type ?? index}]`);
    }
  } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [key, each] of Object.entries(value)) yield* flattened(each, `${path}.${key}`);
  } else {
    yield [path, JSON.stringify(value)];
  }
}

function sorted(list: string | undefined): readonly string[] {
  return (JSON.parse(list ?? "[]") as string[]).toSorted();
}
