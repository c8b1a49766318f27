import type { SyncDifference, SyncResult } from "../index.ts";
import type { Paint } from "./display.ts";
import { bytesText, counted, countText, durationText } from "./quantities.ts";
import { transferText } from "./report.ts";
import { safeText } from "./safe-text.ts";
import { signatureLines } from "./signature-lines.ts";

/**
 * What would come, go and change, one a line:
 *
 *   changed     etc/passwd (size, content)
 *   added       srv/app.js
 */
export function syncDifferenceLines(differences: readonly SyncDifference[]): string[] {
  return differences.map((difference) => {
    const parts = difference.kind === "changed" ? ` (${difference.parts.join(", ")})` : "";
    return `${difference.kind.padEnd(10)}  ${safeText(difference.path)}${parts}`;
  });
}

/** The result of `sync` as lines. */
export function syncLines(result: SyncResult, paint: Paint): string[] {
  const { reference, rootfs, digest, added, removed, changed, unchanged, configChanged, trustedTimes } = result;
  const isRehearsal = result.differences !== undefined;
  const haveSameFiles = added + removed + changed === 0;
  const isSame = haveSameFiles && !configChanged;
  const verdict = isSame ? "the same" : isRehearsal ? "different" : "synced";
  const paintVerdict = isSame || !isRehearsal ? paint.green : paint.red;
  const counts = `${countText(added)} added, ${countText(removed)} removed, ${countText(changed)} changed`;
  const read = result.readLayers === 0 ? "no layer read" : `${counted(result.readLayers, "layer")} read`;
  const written = isRehearsal ? "" : `, ${bytesText(result.writtenBytes)} written`;
  return [
    `${paintVerdict(verdict)}: ${safeText(rootfs)} and ${safeText(reference)}`,
    `  ${paint.faint(digest)}`,
    `  ${counts}, ${countText(unchanged)} as they were`,
    ...(haveSameFiles && configChanged ? ["  the files are the same, the configuration is another"] : []),
    `  ${read}, ${transferText(result)}${written}, in ${durationText(result.milliseconds)}`,
    ...signatureLines(result),
    ...(trustedTimes === false ? ["  all files were read: what lies there is not known by an index"] : []),
    ...(result.mtree === undefined ? [] : [`  listed in ${safeText(result.mtree)}`]),
  ];
}
