import assert from "node:assert/strict";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { applied } from "../rules/apply.ts";
import { readTree } from "../rules/real-tree.ts";
import { output } from "../support/command.ts";
import { type DockerRegistry, dockerRegistry } from "../support/docker-registry.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { type PodmanService, podmanService } from "../support/podman-service.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { half } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { pushed } from "../support/umoci.ts";

// One image of four layers, in every place that an image may come from, put there by the tools that people use. The real
// command makes the same directory of each.

const skip = skipUnlessRoot() || skipWithout("docker-registry", "skopeo", "umoci", "podman", "zstd");

/** Where the image can be put, and who puts it there. */
interface Stage {
  /** skopeo's name for the original. */
  readonly original: `oci:${string}`;
  readonly registry: DockerRegistry;
  readonly engine: PodmanService;
  /** A path that nothing has yet. */
  path(): Promise<string>;
}

/** What the command is given. */
interface Given {
  readonly image: string;
  readonly options?: readonly string[];
  /** A file for standard input. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const sources: Readonly<Record<string, (stage: Stage) => Promise<Given>>> = {
  "a registry": async ({ original, registry }) => {
    await pushed(original, `${registry.host}/some/image:1`);
    return { image: `${registry.host}/some/image:1` };
  },
  "oci:, written by skopeo": async (stage) => ({ image: await bySkopeo(stage, "oci", ":1") }),
  "oci:, written by umoci": async (stage) => {
    const name = await bySkopeo(stage, "oci", ":1");
    await output("umoci", ["tag", "--image", name.slice("oci:".length), "2"]);
    await output("umoci", ["config", "--image", name.replace(/^oci:(.*)1$/, "$12"), "--author", "umoci"]);
    return { image: name.replace(/1$/, "2") };
  },
  "oci-archive:, written by skopeo": async (stage) => ({ image: await bySkopeo(stage, "oci-archive", ":1") }),
  "oci-archive:, written by podman": async (stage) => ({ image: await byPodman(stage, "oci-archive") }),
  "oci-archive:-, with zstd around it": async (stage) => {
    const file = (await byPodman(stage, "oci-archive")).slice("oci-archive:".length);
    await output("zstd", ["--quiet", file]);
    return { image: "oci-archive:-", input: `${file}.zst` };
  },
  "docker-archive:, written by skopeo": async (stage) => ({
    image: await bySkopeo(stage, "docker-archive", ":docker.io/some/image:1"),
  }),
  "docker-archive:, written by podman": async (stage) => ({ image: await byPodman(stage, "docker-archive") }),
  "docker-archive:-, with gzip around it": async (stage) => {
    const file = (await byPodman(stage, "docker-archive")).slice("docker-archive:".length);
    await output("gzip", [file]);
    return { image: "docker-archive:-", input: `${file}.gz` };
  },
  "dir:, written by skopeo": async (stage) => ({ image: await bySkopeo(stage, "dir", "") }),
  "docker-daemon:, which is podman": async ({ engine }) => ({
    image: `docker-daemon:${podmanName}`,
    environment: { DOCKER_HOST: `unix://${engine.socket}` },
  }),
  "a store, and nothing else": async ({ original, registry, path }) => {
    const name = `${registry.host}/stored/image:1`;
    await pushed(original, name);
    const options = ["--store", await path()];
    await unpacked({ image: name, options }, await path());
    return { image: name, options: [...options, "--offline"] };
  },
};

const podmanName = "docker.io/some/image:1";

/** Copies the original into another form, and gives the name that it has there. */
async function bySkopeo({ original, path }: Stage, transport: string, reference: string): Promise<string> {
  const name = `${transport}:${await path()}${reference}`;
  await output("skopeo", ["--insecure-policy", "copy", "--quiet", original, name]);
  return name;
}

async function byPodman({ engine, path }: Stage, format: "oci-archive" | "docker-archive"): Promise<string> {
  const file = await path();
  await engine.podman("save", "--quiet", "--format", format, "--output", file, podmanName);
  return `${format}:${file}`;
}

/** Runs the command and gives where the files are. */
async function unpacked({ image, options = [], input = "/dev/null", environment }: Given, target: string) {
  const args = [commandEntry, "--quiet", "--platform", "linux/amd64", ...options, image, target];
  const script = `exec "$0" "$@" < '${input}'`;
  await output("sh", ["-c", script, process.execPath, ...args], { ...(environment && { environment }) });
  return join(target, "rootfs");
}

describe("the directory is the same, whether the image comes from", { skip, concurrency: 2 }, () => {
  let place: Scratch;
  let stage: Stage;
  before(async () => {
    place = await scratch();
    const layout = join(place.directory, "original");
    await writeImageLayout(layout, [{ tag: "1", images: [image(sampleLayers())] }]);
    await mkdir(join(place.directory, "engine"));
    const engine = await podmanService(join(place.directory, "engine"));
    const id = (await engine.podman("pull", "--quiet", `oci:${layout}:1`)).trim();
    await engine.podman("tag", id, podmanName);
    const path = async () => join(await mkdtemp(join(place.directory, "made-")), "it");
    stage = { original: `oci:${layout}:1`, registry: await dockerRegistry(), engine, path };
  });
  after(async () => {
    await stage.registry[Symbol.asyncDispose]();
    await stage.engine[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const { outcome } = applied(sampleLayers());
  for (const [name, source] of half(Object.entries(sources))) {
    test(name, async () => {
      const rootfs = await unpacked(await source(stage), await stage.path());
      assert.deepEqual(readTree(rootfs), outcome);
    });
  }
});
