import { present } from "../base/present.ts";
import type { ArtifactInspection, ImageInspection, ImageLayer, InspectResult, Platform } from "../index.ts";
import { descriptorData } from "./descriptor-data.ts";
import type { ArtifactInspectionData, ImageData, InspectionData } from "./json-outputs.ts";
import { bytesText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { signatureLines } from "./signature-lines.ts";
import { sourceKindOf } from "./source-kind.ts";

/** The result of `inspect` as data. */
export function inspectionData(result: InspectResult): InspectionData {
  return result.kind === "image" ? imageData(result) : artifactData(result);
}

/** What an artifact's documents say, as data. */
function artifactData({ manifest, files, ...result }: ArtifactInspection): ArtifactInspectionData {
  const { kind, reference, digest, indexDigest, platform, artifactType, manifests, verified } = result;
  return present({
    kind,
    reference,
    digest,
    indexDigest,
    platform,
    artifactType,
    mediaType: manifest.mediaType,
    annotations: manifest.annotations,
    subject: manifest.subject && descriptorData(manifest.subject),
    config: descriptorData(manifest.config),
    files: files.map(({ descriptor, name, form }) => ({ name, form, ...descriptorData(descriptor) })),
    totalBytes: totalBytes(files),
    manifests: manifests.map(descriptorData),
    referrers: result.referrers?.map(descriptorData),
    verified,
    fetchedBytes: result.fetchedBytes,
    milliseconds: result.milliseconds,
  });
}

/** What an image's documents say, as data, with its configuration as it is. */
function imageData({ configBytes, layers, manifest, ...result }: ImageInspection): ImageData {
  const { kind, reference, digest, indexDigest, platform, platforms, manifests, verified, fetchedBytes, milliseconds } =
    result;
  return present({
    kind,
    reference,
    digest,
    indexDigest,
    platform,
    platforms,
    artifactType: manifest.artifactType,
    mediaType: manifest.mediaType,
    annotations: manifest.annotations,
    layers: layers.map(({ descriptor, diffID }) => ({ ...descriptorData(descriptor), diffID })),
    totalBytes: totalBytes(layers),
    manifests: manifests.map(descriptorData),
    referrers: result.referrers?.map(descriptorData),
    config: JSON.parse(Buffer.from(configBytes).toString("utf8")) as ImageData["config"],
    verified,
    fetchedBytes,
    milliseconds,
  });
}

/** The result of `inspect` as lines for people. */
export function inspectionLines(result: InspectResult): string[] {
  return result.kind === "image" ? imageLines(result) : artifactLines(result);
}

function artifactLines(result: ArtifactInspection): string[] {
  const { reference, digest, indexDigest, platform, artifactType, manifest, files } = result;
  const facts = factLines([
    ["kind", "artifact"],
    ["type", artifactType],
    ["digest", digest],
    ["index", indexDigest],
    ["platform", platform && platformText(platform)],
    ["refers to", manifest.subject?.digest],
    ["config", manifest.config.mediaType],
    ...Object.entries(manifest.annotations ?? {}).map(([name, value]) => ["annotation", `${name}=${value}`] as const),
  ]);
  const lines = files.map(({ name, form, descriptor }) => {
    const parts = [bytesText(descriptor.sizeBytes).padStart(8), descriptor.digest, safeText(name)];
    return `${parts.join("  ")}${form === "archive" ? "/" : ""}`;
  });
  return [
    safeText(reference),
    ...facts,
    ...lines,
    sizeLine(reference, files),
    ...referrerLines(result),
    ...signatureLines(result),
  ];
}

/** One line for each thing that refers to it, with its type, those of one type together. */
function referrerLines({ referrers = [] }: InspectResult): string[] {
  const typed = referrers.map(({ artifactType, mediaType, digest }) => [artifactType ?? mediaType, digest] as const);
  return typed.sort().map(([type, digest]) => `${"referrer".padEnd(nameWidth)}${safeText(type)}  ${digest}`);
}

function imageLines(result: ImageInspection): string[] {
  const { reference, digest, indexDigest, platform, platforms, config } = result;
  const { user, env, entrypoint, cmd, workingDir, stopSignal, exposedPorts, volumes, labels } = config.execution;
  const facts = factLines([
    ["kind", "image"],
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
  ]);
  return [
    safeText(reference),
    ...facts,
    ...layerLines(result),
    sizeLine(reference, result.layers),
    ...referrerLines(result),
    ...signatureLines(result),
  ];
}

/** A line for each fact that there is. */
function factLines(facts: readonly (readonly [name: string, value: string | undefined])[]): string[] {
  return facts.flatMap(([name, value]) => {
    return value === undefined || value === "" ? [] : [`${name.padEnd(nameWidth)}${safeText(value)}`];
  });
}

const nameWidth = 13;

/** One line for each layer, the lowest one first, with the step that made it. */
function layerLines({ layers, config }: ImageInspection): string[] {
  const steps = (config.history ?? []).filter(({ isEmptyLayer }) => !isEmptyLayer);
  return layers.map(({ descriptor }, index) => {
    const step = steps.length === layers.length ? (steps[index]?.createdBy ?? "") : "";
    const parts = [`L${index + 1}`.padEnd(4), descriptor.digest, bytesText(descriptor.sizeBytes).padStart(8)];
    return [...parts, safeText(step.replaceAll(/\s+/g, " ").slice(0, 100))].join("  ").trimEnd();
  });
}

function sizeLine(reference: string, layers: readonly Pick<ImageLayer, "descriptor">[]): string {
  return `${bytesText(totalBytes(layers))} to ${sourceKindOf(reference) === "registry" ? "download" : "read"}`;
}

/** The size of all layers. A blob that several layers are counts once, because it is downloaded once. */
function totalBytes(layers: readonly Pick<ImageLayer, "descriptor">[]): number {
  const sizes = new Map(layers.map(({ descriptor }) => [descriptor.digest, descriptor.sizeBytes]));
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined).join("/");
}

function joined(values: readonly string[] | undefined): string | undefined {
  return values?.join(", ");
}

/** A list of words as JSON, so that spaces in a word differ from spaces between words. */
function list(words: readonly string[] | undefined): string | undefined {
  return words === undefined || words.length === 0 ? undefined : JSON.stringify(words);
}
