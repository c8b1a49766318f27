import type {
  ArtifactResult,
  ClonedAs,
  CopyResult,
  Difference,
  ExportResult,
  OverlayResult,
  SkippedEntry,
  SkipReason,
  UnpackResult,
  VerifyResult,
  WarningCode,
} from "../index.ts";
import type { Paint } from "./display.ts";
import type { ErrorReport } from "./error-report.ts";
import { bytesText, counted, countText, durationText, withUnits } from "./quantities.ts";
import { safeText } from "./safe-text.ts";
import { signatureLines } from "./signature-lines.ts";
import { sourceKindOf } from "./source-kind.ts";

const skipped: Readonly<Record<SkipReason, readonly [singular: string, plural: string]>> = {
  device: ["device node", "device nodes (--devices create makes them)"],
  "reserved-name": ["entry with a reserved name", "entries with reserved names"],
  "unsupported-type": ["entry of an unknown type", "entries of unknown types"],
  owner: ["owner", "owners (only root may give files away)"],
  mode: ["mode bit", "mode bits that the file system does not keep"],
  "xattr-filtered": ["extended attribute", "extended attributes that belong to the machine, not the image"],
  "xattr-unsupported": ["extended attribute", "extended attributes that the file system does not store"],
  "xattr-denied": ["extended attribute", "extended attributes that this user may not set"],
  "xattr-unmapped": ["extended attribute", "extended attributes for users who are not in the maps"],
  times: ["time", "times that the file system does not store"],
};

/** The result of unpacking as lines. */
export function resultLines(result: UnpackResult, paint: Paint): string[] {
  const { os, architecture, variant } = result.platform;
  const platform = [os, architecture, variant].filter((part) => part !== undefined).join("/");
  const kept = result.keptEntries === undefined ? "" : `, ${countText(result.keptEntries)} kept`;
  const content = `${counted(result.layers, "layer")}, ${counted(result.entries, "entry", "entries")}${kept}`;
  const sizes = `${bytesText(result.unpackedBytes)} unpacked, ${transferText(result)}`;
  return [
    `${paint.green("unpacked")} ${safeText(result.reference)} (${safeText(platform)}) into ${safeText(result.rootfs)}`,
    `  ${paint.faint(result.digest)}`,
    `  ${content}: ${sizes}, in ${durationText(result.milliseconds)}`,
    ...signatureLines(result),
    ...clonedLines(result),
    ...(result.mtree === undefined ? [] : [`  listed in ${safeText(result.mtree)}`]),
    ...skippedLines(result),
    ...warningLines(result),
  ];
}

const cloneWords: Readonly<Record<ClonedAs, string>> = {
  reflink: "its files share their blocks",
  copied: "its files are copies",
  hardlink: "its files are those in the store: write to neither",
};

/** That a root filesystem was not made of layers. */
function clonedLines({ kept }: Pick<UnpackResult, "kept">): string[] {
  return kept === undefined ? [] : [`  cloned from the tree that the store had kept: ${cloneWords[kept]}`];
}

/** How many bytes were downloaded, or read for an image on this machine. Blobs from the store do not count. */
export function transferText({
  reference,
  downloadedBytes,
}: Pick<UnpackResult, "reference" | "downloadedBytes">): string {
  if (downloadedBytes === 0) return "nothing downloaded";
  return `${bytesText(downloadedBytes)} ${sourceKindOf(reference) === "registry" ? "downloaded" : "read"}`;
}

/** The result of an overlay as lines. */
export function overlayLines(result: OverlayResult, paint: Paint): string[] {
  const { reusedLayers, mount, script } = result;
  const [first = "", ...rest] = resultLines({ ...result, rootfs: result.directory }, paint);
  const reused = reusedLayers === 0 ? [] : [`  ${counted(reusedLayers, "layer")} of these came from the store`];
  const shown = mount === undefined ? `  mount it with: sh ${safeText(script)}` : `  mounted at ${safeText(mount)}`;
  return [first, ...rest, ...reused, shown];
}

/** The result of an artifact as lines. */
export function artifactLines(result: ArtifactResult, paint: Paint): string[] {
  const { reference, artifactType, directory, digest, files, milliseconds } = result;
  const content = `${counted(files.length, "layer")}, ${counted(result.entries, "entry", "entries")}`;
  return [
    `${paint.green("fetched")} ${safeText(reference)} (${safeText(artifactType)}) into ${safeText(directory)}`,
    `  ${paint.faint(digest)}`,
    `  ${content}: ${transferText(result)}, in ${durationText(milliseconds)}`,
    ...signatureLines(result),
    ...skippedLines(result),
    ...warningLines(result),
  ];
}

/** The result of an export as lines. */
export function exportLines(result: ExportResult, paint: Paint): string[] {
  const where = result.file ?? "standard output";
  const { kept: _kept, ...told } = result;
  const [, digest = "", content = "", ...rest] = resultLines({ ...told, rootfs: where, config: "" }, paint);
  const what = `${result.form}, ${bytesText(result.bytes)}`;
  return [
    `${paint.green("wrote")} ${safeText(result.reference)} to ${safeText(where)} (${what})`,
    digest,
    content,
    ...keptLines(result),
    ...verityLines(result),
    ...rest,
  ];
}

/** That something was not made anew. */
function keptLines({ kept }: Pick<ExportResult, "kept">): string[] {
  if (kept === undefined) return [];
  return [`  out of the store, which had kept it: ${kept === "reflink" ? "it shares its blocks" : "a verified copy"}`];
}

/** What a kernel needs to verify a file system. */
function verityLines({ verity }: ExportResult): string[] {
  if (verity === undefined) return [];
  const { rootHash, salt, hashOffsetBytes, dataBlocks } = verity;
  return [
    `  root hash ${rootHash}`,
    `  of ${counted(dataBlocks, "block")} of 4096 bytes, with the salt ${salt}; the hash tree is at byte ${hashOffsetBytes}`,
  ];
}

/** The result of a copy as lines. */
export function copyLines(result: CopyResult, destination: string, paint: Paint): string[] {
  const where = destination === "-" ? "standard output" : safeText(destination);
  const { signatures } = result;
  const along =
    signatures === undefined
      ? ""
      : ` with ${counted(signatures, "signature or attestation", "signatures and attestations")}`;
  const content = `${counted(result.blobs, "blob")}${along}, ${transferText(result)}`;
  return [
    `${paint.green("copied")} ${safeText(result.reference)} to ${where}`,
    `  ${paint.faint(result.digest)}`,
    `  ${content}, in ${durationText(result.milliseconds)}`,
    ...signatureLines(result),
  ];
}

/** `error: …` and, if there is a hint, `hint: …`. */
export function errorLines(failure: ErrorReport, paint: Paint): string[] {
  if (failure.code === "INTERRUPTED") return [`${paint.red("interrupted:")} nothing was left behind`];
  const hint = failure.hint === undefined ? [] : [`${paint.cyan("hint:")} ${safeText(withUnits(failure.hint))}`];
  return [`${paint.red("error:")} ${safeText(withUnits(failure.message))}`, ...hint];
}

/** For developers: where an error was thrown, and what caused it. */
export function debugLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const stack = (error.stack ?? error.message).split("\n").map((line) => `  ${safeText(line)}`);
  return error.cause === undefined ? stack : [...stack, "  caused by", ...debugLines(error.cause)];
}

function skippedLines(result: Pick<UnpackResult, "skipped" | "skippedCount">): string[] {
  if (result.skippedCount === 0) return [];
  const parts = [...countedReasons(result.skipped)].map(([reason, count]) => {
    const [singular, plural] = skipped[reason];
    return count === 1 ? `1 ${singular}` : `${countText(count)} ${plural}`;
  });
  const rest = result.skippedCount - result.skipped.length;
  if (rest > 0) parts.push(`${countText(rest)} more`);
  return [`  left out: ${parts.join(", ")}; -v lists each`];
}

function countedReasons(entries: readonly SkippedEntry[]): Map<SkipReason, number> {
  const counts = new Map<SkipReason, number>();
  for (const { reason } of entries) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

function warningLines(result: Pick<UnpackResult, "warnings">): string[] {
  const warnings = Object.entries(result.warnings) as [WarningCode, number][];
  if (warnings.length === 0) return [];
  const parts = warnings.map(([code, count]) => counted(count, ...warningWords[code]));
  return [`  warnings: ${parts.join(", ")}; -v lists each`];
}

/** Short texts for each warning, for one and for several of them; docs/errors.md explains each. */
export const warningWords: Readonly<Record<WarningCode, readonly [singular: string, plural: string]>> = {
  MEDIA_TYPE_DISAGREES: [
    "layer not compressed as its media type says",
    "layers not compressed as their media type says",
  ],
  HISTORY_DISAGREES: ["history of another number of layers", "histories of another number of layers"],
  PLATFORM_DIFFERS: [
    "image for another platform than this machine's",
    "images for another platform than this machine's",
  ],
  DIGEST_HEADER_DISAGREES: ["digest header that is wrong", "digest headers that are wrong"],
  TRAILING_BYTES: ["layer with something behind its end", "layers with something behind their end"],
  MISSING_END_MARKER: ["archive without end marker", "archives without end marker"],
  LONE_ZERO_BLOCK: ["a single block of zeros between entries", "single blocks of zeros between entries"],
  GLOBAL_HEADER_IGNORED: ["global header ignored", "global headers ignored"],
  PATH_NORMALISED: ["path with `..` in it", "paths with `..` in them"],
  TRAILING_SLASH: ["file whose name ends in a slash", "files whose names end in a slash"],
  EMPTY_NAME: ["entry without a name", "entries without a name"],
  DUPLICATE_ENTRY: ["path named twice", "paths named twice"],
  PARENT_REPLACED: ["file replaced by a directory that was needed", "files replaced by directories that were needed"],
  RESERVED_NAME: ["reserved name", "reserved names"],
  UNUSUAL_WHITEOUT: ["whiteout that is not an empty file", "whiteouts that are not empty files"],
  UNSUPPORTED_TYPE: ["entry of an unknown type", "entries of unknown types"],
  TIME_CLAMPED: ["time out of range", "times out of range"],
  LINK_COPIED: ["hard link that became a copy", "hard links that became copies"],
  SETGID_DROPPED: ["set-group-ID bit dropped", "set-group-ID bits dropped"],
  LINK_ATTRIBUTES: ["hard link that states other attributes", "hard links that state other attributes"],
  WHITEOUT_WITHOUT_TARGET: ["whiteout of nothing", "whiteouts of nothing"],
  XATTR_NOT_APPLIED: ["extended attribute not stored", "extended attributes not stored"],
  LABEL_LEFT_OUT: [
    "bundle without labels that a runtime would obey",
    "bundles without labels that a runtime would obey",
  ],
  USER_NOT_MAPPED: ["bundle whose user is not mapped", "bundles whose users are not mapped"],
  TABLE_REFUSED: ["table of contents that was not used", "tables of contents that were not used"],
  PATTERN_UNMATCHED: ["pattern that matches nothing", "patterns that match nothing"],
  CREDENTIALS_IGNORED: ["login that was rejected", "logins that were rejected"],
  CONFIGURATION: ["configuration file not used as written", "configuration files not used as written"],
};

/**
 * The differences, one a line:
 *
 *   added       etc/cron.d/miner
 *   changed     usr/bin/su (mode, content)
 */
export function differenceLines({ differences, differenceCount }: VerifyResult): string[] {
  const lines = differences.map((difference) => {
    return `${difference.kind.padEnd(10)}  ${safeText(difference.path)}${partsText(difference)}`;
  });
  const untold = differenceCount - differences.length;
  return untold > 0 ? [...lines, `and ${counted(untold, "difference")} more`] : lines;
}

function partsText(difference: Difference): string {
  return difference.kind === "changed" ? ` (${difference.parts.join(", ")})` : "";
}

/** The verdict of `verify` as lines. */
export function verdictLines(result: VerifyResult, paint: Paint): string[] {
  const { reference, rootfs, digest, entries, differences, differenceCount } = result;
  const isSame = differenceCount === 0;
  const verdict = isSame ? paint.green("same") : paint.red("different");
  const found = isSame ? counted(entries, "entry", "entries") : counted(differenceCount, "difference");
  const isUnreadable = differences.some(({ kind }) => kind === "unreadable");
  return [
    `${verdict}: ${safeText(rootfs)} ${isSame ? "is" : "is not"} what ${safeText(reference)} says (${found})`,
    `  ${paint.faint(digest)}`,
    ...signatureLines(result),
    ...(isUnreadable
      ? ["  what this user may not read, root may, as in: unshare --map-root-user oci-unpack verify …"]
      : []),
  ];
}
