import { present } from "../base/present.ts";
import type { InspectResult, ListedEntry, Platform } from "../index.ts";
import { sourceKindOf } from "./connection.ts";
import { bytesText } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { signatureLines } from "./signature-lines.ts";

/** The result of `inspect` as data, with the image's configuration as it is. */
export function inspectionData({ configBytes, layers, manifest, ...result }: InspectResult): object {
  const { reference, digest, indexDigest, platform, platforms, manifests, verified, fetchedBytes, milliseconds } =
    result;
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
    verified,
    fetchedBytes,
    milliseconds,
  });
}

/** The result of `inspect` as lines for people. */
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
  return [safeText(reference), ...lines, ...layerLines(result), sizeLine(result), ...signatureLines(result)];
}

const nameWidth = 13;

/** One line for each layer, the lowest one first, with the step that made it. */
function layerLines({ layers, config }: InspectResult): string[] {
  const steps = (config.history ?? []).filter(({ isEmptyLayer }) => !isEmptyLayer);
  return layers.map(({ descriptor }, index) => {
    const step = steps.length === layers.length ? (steps[index]?.createdBy ?? "") : "";
    const parts = [`L${index + 1}`.padEnd(4), descriptor.digest, bytesText(descriptor.sizeBytes).padStart(8)];
    return [...parts, safeText(step.replaceAll(/\s+/g, " ").slice(0, 100))].join("  ").trimEnd();
  });
}

function sizeLine({ reference, layers }: InspectResult): string {
  return `${bytesText(totalBytes(layers))} to ${sourceKindOf(reference) === "registry" ? "download" : "read"}`;
}

/** The size of all layers. A blob that several layers are counts once, because it is downloaded once. */
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

/** A list of words as JSON, so that spaces in a word differ from spaces between words. */
function list(words: readonly string[] | undefined): string | undefined {
  return words === undefined || words.length === 0 ? undefined : JSON.stringify(words);
}

const typeLetters: Readonly<Record<ListedEntry["type"], string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  fifo: "p",
  "character-device": "c",
  "block-device": "b",
};

/**
 * The result of `ls` as lines for people: type and mode, owner, size, time (UTC), the layer, counted from 1 at the
 * bottom, the beginning of the digest where there are digests, and the path.
 *
 *   -rwsr-xr-x  0:0   71912  2024-04-09 08:00:00  L1  1c5fd5e2e8a3  usr/bin/passwd
 */
export function* listingLines(
  entries: readonly ListedEntry[],
  { hasDigests }: { readonly hasDigests: boolean },
): Iterable<string> {
  // An image may have a hundred thousand entries, so their lines are not kept in memory.
  const columns = new Columns();
  const [owner, size, layer] = columns.widths(entries);
  for (const entry of entries) {
    const mode = typeLetters[entry.type] + columns.mode(entry.mode);
    const about = `${mode}  ${ownerText(entry).padEnd(owner)}  ${sizeText(entry).padStart(size)}`;
    const digest = hasDigests ? `${digestText(entry)}  ` : "";
    yield `${about}  ${columns.time(entry)}  ${layerText(entry).padEnd(layer)}  ${digest}${nameText(entry)}`;
  }
}

/** What makes the columns of a listing. Many entries have the same mode, and some in a row the same time. */
class Columns {
  readonly #modes = new Map<number, string>();
  #seconds = Number.NaN;
  #time = "";

  /** How wide owners, sizes and layers are. */
  widths(entries: readonly ListedEntry[]): readonly [owner: number, size: number, layer: number] {
    let [owner, size, layer] = [0, 0, 0];
    for (const entry of entries) {
      owner = Math.max(owner, ownerText(entry).length);
      size = Math.max(size, sizeText(entry).length);
      layer = Math.max(layer, layerText(entry).length);
    }
    return [owner, size, layer];
  }

  mode(mode: number): string {
    const known = this.#modes.get(mode);
    if (known !== undefined) return known;
    const text = modeText(mode);
    this.#modes.set(mode, text);
    return text;
  }

  time(entry: ListedEntry): string {
    if (entry.mtime.seconds !== this.#seconds) {
      this.#seconds = entry.mtime.seconds;
      this.#time = timeText(entry);
    }
    return this.#time;
  }
}

/** `rwxr-xr-x`, with `s`, `S`, `t` and `T` as in ls. */
function modeText(mode: number): string {
  const bits = ["r", "w", "x", "r", "w", "x", "r", "w", "x"].map((letter, bit) =>
    mode & (0o400 >> bit) ? letter : "-",
  );
  const special = [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ] as const;
  for (const [bit, position, letter] of special) {
    if ((mode & bit) !== 0) bits[position] = bits[position] === "x" ? letter : letter.toUpperCase();
  }
  return bits.join("");
}

function ownerText({ uid, gid }: ListedEntry): string {
  return `${uid}:${gid}`;
}

function layerText({ layer }: ListedEntry): string {
  return `L${layer + 1}`;
}

/** How many digits tell files apart: with a million of them, two are alike with one in 500 chances. */
const shownDigits = 12;

function digestText({ digest = "-" }: ListedEntry): string {
  const digits = digest.slice(digest.indexOf(":") + 1);
  return digits.slice(0, shownDigits).padEnd(shownDigits);
}

function sizeText({ type, sizeBytes, deviceMajor, deviceMinor }: ListedEntry): string {
  if (type.endsWith("device")) return `${deviceMajor},${deviceMinor}`;
  return type === "file" ? String(sizeBytes) : "-";
}

/** The time, or seconds for years that a Date cannot represent. */
function timeText({ mtime: { seconds } }: ListedEntry): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || Math.abs(date.getUTCFullYear()) > 9999) return `@${seconds}`.padEnd(19);
  return date.toISOString().slice(0, 19).replace("T", " ");
}

function nameText({ path, linkTarget, sameFileAs }: ListedEntry): string {
  if (linkTarget !== undefined) return `${safeText(path)} -> ${safeText(linkTarget)}`;
  return sameFileAs === undefined ? safeText(path) : `${safeText(path)} = ${safeText(sameFileAs)}`;
}
