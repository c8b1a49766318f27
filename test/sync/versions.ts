import { join } from "node:path";
import { type SyncOptions, unpack } from "../../src/index.ts";
import { archived } from "../model/archive.ts";
import { randomStack } from "../model/generator.ts";
import type { Listing } from "../model/listing.ts";
import { isObjection, modelled } from "../model/model.ts";
import { layerRules } from "../rules/layer-rules.ts";
import { readTree } from "../rules/real-tree.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";

/** What a directory may become. */
export interface Version {
  readonly title: string;
  readonly layers: readonly Uint8Array[];
  readonly options: SyncOptions;
}

const platform = "linux/amd64";

/** All trees that the rules about layers speak of. */
export const ruleVersions: readonly Version[] = layerRules
  .filter(({ outcome, skip = false }) => typeof outcome !== "string" && skip === false)
  .map(({ rule, claim, layers, options }) => ({
    title: `${rule}, ${claim}`,
    layers,
    options: { platform, ...options } as SyncOptions,
  }));

/** The tree of a random stack, if it makes one. */
export function randomVersion(seed: number): Version | undefined {
  const stack = randomStack(seed);
  try {
    modelled(stack, { devices: "create" });
  } catch (error) {
    if (!isObjection(error)) throw error;
    return undefined;
  }
  return { title: `the stack of seed ${seed}`, layers: stack.map(archived), options: { platform, devices: "create" } };
}

/** Versions as images in layouts, and the trees that are unpacked of them. */
export class Versions {
  readonly #directory: string;
  readonly #trees = new Map<Version, Promise<Listing>>();
  readonly #names = new Map<Version, Promise<string>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The name of an image that makes the version. */
  name(version: Version): Promise<string> {
    const known = this.#names.get(version);
    if (known !== undefined) return known;
    const layout = join(this.#directory, `layout-${this.#names.size}`);
    const written = writeImageLayout(layout, [{ tag: "x", images: [image(version.layers, { encoding: "plain" })] }]);
    const name = written.then(() => `oci:${layout}:x`);
    this.#names.set(version, name);
    return name;
  }

  /** What is unpacked of it. */
  tree(version: Version): Promise<Listing> {
    const known = this.#trees.get(version);
    if (known !== undefined) return known;
    const tree = this.#unpacked(version, join(this.#directory, `fresh-${this.#trees.size}`));
    this.#trees.set(version, tree);
    return tree;
  }

  async #unpacked(version: Version, target: string): Promise<Listing> {
    const { rootfs } = await unpack(await this.name(version), target, version.options);
    return readTree(rootfs);
  }
}

/**
 * OCI_UNPACK_SYNCS=1000 tries as many random trees, and a share of that of all else that chance decides. It takes some
 * twenty minutes of a processor.
 */
export function wantedSyncs(): number {
  return Number(process.env.OCI_UNPACK_SYNCS ?? 0);
}
