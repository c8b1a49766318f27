import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CommandOptions, output } from "../test/support/command.ts";

/** Where images are made: buildah with a storage of its own, so that nobody's images are touched. */
export interface Workshop extends AsyncDisposable {
  /** A scratch directory, which goes when the workshop does. */
  readonly directory: string;
  /** Makes `image` from `base`, or from nothing, by adding one layer: all that `change` does. */
  layer(image: string, base: string | undefined, change: (container: Container) => Promise<void>): Promise<void>;
  /** Puts an image into a registry with all layers in one compression. */
  push(image: string, destination: string, compression: Compression): Promise<void>;
}

/** A working container. */
export interface Container {
  /** Where its root filesystem can be written directly. */
  readonly root: string;
  /** Runs a shell script inside. */
  run(script: string): Promise<void>;
}

export type Compression = "gzip" | "zstd";

/** Opens a workshop in a directory that is absent or its own. */
export async function workshop(directory: string): Promise<Workshop> {
  await mkdir(join(directory, "scratch"), { recursive: true });
  const environment = await configured(directory);
  const buildah = (args: readonly string[], options: CommandOptions = {}) =>
    output("buildah", args, { ...options, environment });

  return {
    directory: join(directory, "scratch"),

    async layer(image, base, change) {
      const from = base === undefined ? "scratch" : `localhost/${base}`;
      const name = (await buildah(["from", "--pull-never", from])).trim();
      const root = (await buildah(["mount", name])).trim();
      await change({ root, run: async (script) => void (await buildah(["run", name, "sh", "-euc", script])) });
      await buildah(["commit", "--quiet", "--rm", name, `localhost/${image}`]);
    },

    async push(image, destination, compression) {
      const format = ["--compression-format", compression, "--force-compression"];
      await buildah([
        "push",
        "--quiet",
        "--tls-verify=false",
        ...format,
        `localhost/${image}`,
        `docker://${destination}`,
      ]);
    },

    async [Symbol.asyncDispose]() {
      await buildah(["rm", "--all"]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * The environment that keeps buildah within a directory and lets it run where containers may not be nested.
 *
 * The limits are stated because those that buildah chooses itself are more than a confined machine may grant.
 */
async function configured(directory: string): Promise<Record<string, string>> {
  const containers = join(directory, "containers.conf");
  const storage = join(directory, "storage.conf");
  await writeFile(containers, '[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]\n');
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${join(directory, "storage")}"\nrunroot = "${join(directory, "run")}"\n`,
  );
  return { BUILDAH_ISOLATION: "chroot", CONTAINERS_CONF: containers, CONTAINERS_STORAGE_CONF: storage };
}
