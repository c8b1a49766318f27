import type {
  ComparedEntry,
  ComparedImages,
  ConfigDifference,
  DiffResult,
  ImageComparison,
  ImageDifference,
} from "../index.ts";
import { type DecisionLog, explained } from "./command-output.ts";
import type { Paint } from "./display.ts";
import { counted } from "./quantities.ts";
import { safeJson, safeText } from "./safe-text.ts";
import { signatureLines } from "./signature-lines.ts";

/** The result of `diff` as JSON on one line, in pieces, while the differences come. */
export async function* comparisonJson(comparison: ImageComparison, decisionLog: DecisionLog): AsyncGenerator<string> {
  let separator = "";
  for await (const difference of comparison) {
    if (separator === "") yield openingJson(await comparison.images);
    yield separator + safeJson(difference);
    separator = ",";
  }
  const { from, to, config, ...rest } = await comparison.result;
  if (separator === "") yield openingJson({ from, to, config });
  yield `],${safeJson({ ...rest, ...explained(decisionLog) }).slice(1)}\n`;
}

function openingJson({ from, to, config }: ComparedImages): string {
  return `${safeJson({ from, to, config }).slice(0, -1)},"differences":[`;
}

/**
 * The result of `diff` as lines for people, while the differences come: those of the configurations first, then each
 * path with the layers, counted from 1 at the bottom, and the instructions that made it.
 *
 *   config      Env: +NODE_VERSION=24
 *   changed     etc/passwd (size, content)  L1 ADD rootfs.tar / -> L3 RUN adduser app
 *   added       srv/app.js  L4 COPY . /srv
 */
export async function* comparisonLines(comparison: ImageComparison): AsyncGenerator<string> {
  let hasConfig = false;
  for await (const difference of comparison) {
    if (!hasConfig) yield configText(await comparison.images);
    hasConfig = true;
    yield `${differenceText(difference)}\n`;
  }
  if (!hasConfig) yield configText(await comparison.result);
}

function configText({ config }: ComparedImages): string {
  return config
    .flatMap(configLines)
    .map((text) => `${"config".padEnd(kindWidth)}  ${safeText(text)}\n`)
    .join("");
}

/** A line for each item that came or went of a list of variables or a map, or else one for the whole field. */
function configLines({ field, first, second }: ConfigDifference): string[] {
  const [before, after] = [itemsOf(first), itemsOf(second)];
  const lines = [
    ...itemsMissing(before, after).map((item) => `${field}: -${item}`),
    ...itemsMissing(after, before).map((item) => `${field}: +${item}`),
  ];
  return lines.length > 0 ? lines : [`${field}: ${valueText(first)} -> ${valueText(second)}`];
}

/** The items that the others lack, where both are known. An image may have hundreds of thousands. */
function itemsMissing(items: readonly string[] | undefined, others: readonly string[] | undefined): readonly string[] {
  if (items === undefined || others === undefined) return [];
  const known = new Set(others);
  return items.filter((item) => !known.has(item));
}

/** The items of `["NAME=VALUE", …]` and `{"NAME": "VALUE", …}`; none of a command, whose words belong together. */
function itemsOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.every(isVariable) ? value : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).map(([name, each]) => (typeof each === "string" ? `${name}=${each}` : name));
}

function isVariable(item: unknown): item is string {
  return typeof item === "string" && /^\w+=/.test(item);
}

function valueText(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

const kindWidth = 10;

function differenceText(difference: ImageDifference): string {
  const path = `${difference.kind.padEnd(kindWidth)}  ${safeText(difference.path)}`;
  switch (difference.kind) {
    case "added":
      return `${path}  ${originText(difference.second)}`;
    case "removed":
      return `${path}  ${originText(difference.first)}`;
    case "changed": {
      const { parts, first, second } = difference;
      return `${path} (${parts.join(", ")})  ${originText(first)} -> ${originText(second)}`;
    }
  }
}

/** How much of an instruction is shown. */
const longestInstruction = 40;

function originText({ layer, createdBy = "" }: ComparedEntry): string {
  // Linear: what is matched is one run of spaces, and what docker writes before an instruction that runs nothing.
  const instruction = createdBy.replaceAll(/\s+/g, " ").replace(/^\/bin\/sh -c #\(nop\) +/, "");
  const shown = instruction.length > longestInstruction ? `${instruction.slice(0, longestInstruction)}…` : instruction;
  return `L${layer + 1} ${safeText(shown)}`.trimEnd();
}

/** The verdict of `diff` as lines. */
export function comparisonVerdict(result: DiffResult, paint: Paint): string[] {
  const { from, to, same, config, differenceCount } = result;
  const names = `${safeText(from.reference)} and ${safeText(to.reference)}`;
  const found = [
    ...(differenceCount > 0 ? [counted(differenceCount, "difference")] : []),
    ...(config.length > 0 ? [`${counted(config.length, "field")} of the configuration`] : []),
  ];
  return [
    same ? `${paint.green("same")}: ${names}` : `${paint.red("different")}: ${names} (${found.join(", ")})`,
    ...[from, to].flatMap((image) => [`  ${paint.faint(image.digest)}`, ...signatureLines(image)]),
  ];
}
