import type { Difference, VerifyResult } from "../index.ts";
import type { Paint } from "./paint.ts";
import { counted } from "./quantities.ts";
import { safeText } from "./safe-text.ts";

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

/** What they come to. */
export function verdictLines(result: VerifyResult, paint: Paint): string[] {
  const { reference, rootfs, digest, entries, differences, differenceCount } = result;
  const isSame = differenceCount === 0;
  const verdict = isSame ? paint.green("same") : paint.red("different");
  const found = isSame ? counted(entries, "entry", "entries") : counted(differenceCount, "difference");
  const isUnreadable = differences.some(({ kind }) => kind === "unreadable");
  return [
    `${verdict}: ${safeText(rootfs)} ${isSame ? "is" : "is not"} what ${safeText(reference)} says (${found})`,
    `  ${paint.faint(digest)}`,
    ...(isUnreadable
      ? ["  what this user may not read, root may, as in: unshare --map-root-user oci-unpack verify …"]
      : []),
  ];
}
