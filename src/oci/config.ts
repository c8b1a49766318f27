import { present } from "../base/present.ts";
import { digestFrom } from "./descriptor.ts";
import { type Digest, digestOf } from "./digest.ts";
import { JsonValue } from "./json-value.ts";
import { type Platform, platformFrom, unknown } from "./platform.ts";

/** An image's configuration (image-spec, config.md). */
export interface ImageConfig {
  /** `unknown` where the config does not say. */
  readonly platform: Platform;
  /** The digest of each layer's decompressed archive, bottom layer first. */
  readonly diffIDs: readonly Digest[];
  readonly execution: ExecutionParameters;
  readonly created?: string;
  readonly author?: string;
  readonly history?: readonly HistoryEntry[];
}

/** How to run the image: the member `config`. What it does not say is absent. */
export interface ExecutionParameters {
  readonly user?: string;
  readonly env?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly workingDir?: string;
  readonly stopSignal?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Paths. */
  readonly volumes?: readonly string[];
  /** `8080/tcp` and the like. */
  readonly exposedPorts?: readonly string[];
}

/** One of the steps that made the image. */
export interface HistoryEntry {
  readonly created?: string;
  readonly createdBy?: string;
  readonly author?: string;
  readonly comment?: string;
  /** Whether the step changed only the configuration, so that no layer belongs to it. */
  readonly isEmptyLayer: boolean;
}

/** Parses a config. Unknown members are ignored, and null counts as absent. Throws `INVALID_CONFIG`. */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const value = JsonValue.parse(bytes, "image's config", "INVALID_CONFIG");
  const rootfs = value.required("rootfs");
  const type = rootfs.required("type");
  if (type.string() !== "layers") type.refuse(`"${type.string().slice(0, 100)}" is not "layers"`);
  return present({
    platform: platformFrom(value) ?? { os: unknown, architecture: unknown },
    diffIDs: (rootfs.optional("diff_ids")?.list() ?? []).map(digestFrom),
    execution: executionFrom(value.optional("config")),
    created: value.optional("created")?.string(),
    author: value.optional("author")?.string(),
    history: value.optional("history")?.list().map(historyEntryFrom),
  });
}

function executionFrom(value: JsonValue | undefined): ExecutionParameters {
  return present({
    user: value?.optional("User")?.string(),
    env: value?.optional("Env")?.strings(),
    entrypoint: value?.optional("Entrypoint")?.strings(),
    cmd: value?.optional("Cmd")?.strings(),
    workingDir: value?.optional("WorkingDir")?.string(),
    stopSignal: value?.optional("StopSignal")?.string(),
    labels: value?.optional("Labels")?.stringMap(),
    volumes: value?.optional("Volumes")?.keys(),
    exposedPorts: value?.optional("ExposedPorts")?.keys(),
  });
}

function historyEntryFrom(value: JsonValue): HistoryEntry {
  return present({
    created: value.optional("created")?.string(),
    createdBy: value.optional("created_by")?.string(),
    author: value.optional("author")?.string(),
    comment: value.optional("comment")?.string(),
    isEmptyLayer: value.optional("empty_layer")?.boolean() ?? false,
  });
}

/**
 * The step that made each layer, bottom first. Empty where the history is of another number of layers: then it is not
 * known which step belongs to which.
 */
export function stepsOfLayers({
  history = [],
  diffIDs,
}: Pick<ImageConfig, "history" | "diffIDs">): readonly HistoryEntry[] {
  const steps = history.filter(({ isEmptyLayer }) => !isEmptyLayer);
  return steps.length === diffIDs.length ? steps : [];
}

/**
 * The chainID of each layer: what names it together with all layers below it (image-spec, config.md, "Layer ChainID").
 */
export function chainIDs(diffIDs: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffID of diffIDs) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffID : digestOf(new TextEncoder().encode(`${below} ${diffID}`)));
  }
  return chain;
}
