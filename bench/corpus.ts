import { access, mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { output } from "../test/support/command.ts";
import { dockerRegistry } from "../test/support/docker-registry.ts";
import { requireTools } from "../test/support/tools.ts";
import { type Recipe, recipes } from "./recipes.ts";
import { type Compression, type Workshop, workshop } from "./workshop.ts";

/** The images that the benchmark unpacks, in a registry's storage. */
export interface Corpus {
  /** What `docker-registry` serves. */
  readonly storage: string;
  readonly recipes: readonly Recipe[];
}

/** An image of the corpus, as a registry serves it. */
export interface BenchImage {
  readonly recipe: Recipe;
  /** Its two names. */
  readonly gzip: string;
  readonly zstd: string;
  /** The URLs of its layers in gzip, the lowest first. */
  readonly blobs: readonly string[];
  /** The compressed bytes of these layers, as the manifest states them. */
  readonly megabytes: number;
}

/** What a registry that serves the corpus says of an image. */
export async function benchImage(host: string, recipe: Recipe): Promise<BenchImage> {
  const gzip = referenceOf(host, recipe, "gzip");
  const manifest = await output("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${gzip}`]);
  const { layers } = JSON.parse(manifest) as { layers: readonly { digest: string; size: number }[] };
  return {
    recipe,
    gzip,
    zstd: referenceOf(host, recipe, "zstd"),
    blobs: layers.map(({ digest }) => `http://${host}/v2/bench/${recipe.name}/blobs/${digest}`),
    megabytes: layers.reduce((bytes, { size }) => bytes + size, 0) / 1e6,
  };
}

/** What an image is called in the corpus's registry. */
function referenceOf(host: string, recipe: Recipe, compression: Compression): string {
  return `${host}/bench/${recipe.name}:${compression}`;
}

/**
 * Makes the corpus where it has not been made yet, and says where it is.
 *
 * A mark in the directory tells a finished corpus from an interrupted one, which is made anew. Remove the directory to
 * have another.
 */
export async function corpus(report: (line: string) => void = () => {}): Promise<Corpus> {
  const directory = cacheDirectory();
  const storage = join(directory, "registry");
  const made = { storage, recipes };
  if (await exists(join(directory, "complete"))) return made;
  requireTools("docker-registry", "mmdebstrap", "buildah");
  await mkdir(join(directory, "registry"), { recursive: true });
  await using registry = await dockerRegistry({ storage });
  await using bench = await workshop(join(directory, "workshop"));
  for (const recipe of recipes) await make(recipe, bench, registry.host, report);
  await writeFile(join(directory, "complete"), "");
  return made;
}

async function make(recipe: Recipe, bench: Workshop, host: string, report: (line: string) => void): Promise<void> {
  report(`making ${recipe.name}: ${recipe.description}`);
  await recipe.make(bench);
  for (const compression of ["gzip", "zstd"] as const) {
    report(`pushing ${recipe.name} with ${compression}`);
    await bench.push(recipe.name, referenceOf(host, recipe, compression), compression);
  }
}

function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "oci-unpack-bench");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
