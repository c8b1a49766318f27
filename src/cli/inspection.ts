import { present } from "../base/present.ts";
import type { InspectResult, Platform } from "../index.ts";
import { bytesText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { whereaboutsOf } from "./transports.ts";

/** What an image's documents say, as data: the configuration as it stands in the image. */
export function inspectionData({ configBytes, layers, manifest, ...result }: InspectResult): object {
  const { reference, digest, indexDigest, platform, platforms, manifests, fetchedBytes, milliseconds } = result;
  return present({
    reference,
    digest,
    indexDigest,
    platform,
    platforms,
    mediaType: manifest.mediaType,
    annotations: manifest.annotations,
    layers: layers.map(({ descriptor, diffID }) => ({ ...descriptor, diffID })),
    totalBytes: totalBytes(layers),
    manifests,
    config: JSON.parse(Buffer.from(configBytes).toString("utf8")) as unknown,
    fetchedBytes,
    milliseconds,
  });
}

/** What an image's documents say, as lines for people. */
export function inspectionLines(result: InspectResult): string[] {
  const { reference, digest, indexDigest, platform, platforms, config } = result;
  const { user, env, entrypoint, cmd, workingDir, stopSignal, exposedPorts, volumes, labels } = config.execution;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["digest", digest],
    ["index", indexDigest],
    ["platform", platformText(platform)],
    ["platforms", joined(platforms.map(platformText))],
    ["created", config.created],
    ["author", config.author],
    ["entrypoint", list(entrypoint)],
    ["command", list(cmd)],
    ["user", user],
    ["directory", workingDir],
    ["stop signal", stopSignal],
    ["ports", joined(exposedPorts)],
    ["volumes", joined(volumes)],
    ...(env ?? []).map((variable) => ["environment", variable] as const),
    ...Object.entries(labels ?? {}).map(([name, value]) => ["label", `${name}=${value}`] as const),
  ];
  const lines = facts.flatMap(([name, value]) => {
    return value === undefined || value === "" ? [] : [`${name.padEnd(nameWidth)}${safeText(value)}`];
  });
  return [safeText(reference), ...lines, ...layerLines(result), sizeLine(result)];
}

const nameWidth = 13;

/** One line for each layer, the bottom one first, with the step that made it. */
function layerLines({ layers, config }: InspectResult): string[] {
  const steps = (config.history ?? []).filter(({ isEmptyLayer }) => !isEmptyLayer);
  return layers.map(({ descriptor }, index) => {
    const step = steps.length === layers.length ? (steps[index]?.createdBy ?? "") : "";
    const parts = [`L${index + 1}`.padEnd(4), descriptor.digest, bytesText(descriptor.sizeBytes).padStart(8)];
    return [...parts, safeText(step.replaceAll(/\s+/g, " ").slice(0, 100))].join("  ").trimEnd();
  });
}

function sizeLine({ reference, layers }: InspectResult): string {
  return `${bytesText(totalBytes(layers))} to ${whereaboutsOf(reference) === "registry" ? "download" : "read"}`;
}

/** Layers that are the same blob are downloaded once. */
function totalBytes(layers: InspectResult["layers"]): number {
  const sizes = new Map(layers.map(({ descriptor }) => [descriptor.digest, descriptor.sizeBytes]));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined).join("/");
}

function joined(values: readonly string[] | undefined): string | undefined {
  return values?.join(", ");
}

/** As a list of words, so that spaces in them can be told from spaces between. */
function list(words: readonly string[] | undefined): string | undefined {
  return words === undefined || words.length === 0 ? undefined : JSON.stringify(words);
}
