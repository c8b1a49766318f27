import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import { demoLayers } from "./image.ts";

interface Provenance {
  readonly layer: number;
  readonly note: string;
}

/** Draws what is really on the disk, each entry with the layer that it comes from. */
export function treeLines(rootfs: string): string[] {
  const provenance = provenanceOfAll();
  const rows = walk(rootfs, "", "").map(({ path, drawing, stats }) => {
    const { layer, note } = provenance.get(path) ?? { layer: undefined, note: "implied" };
    return { mode: modeText(stats), drawing, layer: layer === undefined ? "–" : `layer ${layer}`, note };
  });
  const width = Math.max(...rows.map(({ drawing }) => drawing.length));
  return rows.map(({ mode, drawing, layer, note }) =>
    `  ${mode}  ${drawing.padEnd(width)}  ${layer.padEnd(7)}  ${note}`.trimEnd(),
  );
}

/** What later layers hid, each path with the layer that had it and the layer that hid it; read off the disk as gone. */
export function hiddenLines(rootfs: string): string[] {
  return demoLayers.flatMap(({ entries }, upper) =>
    entries.flatMap(({ path, hides }) =>
      hides === undefined ? [] : hiddenBy(upper, path, hides).map((hidden) => hiddenLine(rootfs, hidden, upper, hides)),
    ),
  );
}

function hiddenBy(upper: number, path: string, hides: "path" | "contents"): string[] {
  const lower = demoLayers.slice(0, upper).flatMap(({ entries }) => entries.map((entry) => entry.path));
  return lower.filter((candidate) => (hides === "path" ? candidate === path : candidate.startsWith(`${path}/`)));
}

function hiddenLine(rootfs: string, path: string, upper: number, hides: "path" | "contents"): string {
  const kind = hides === "path" ? "a whiteout" : "an opaque whiteout";
  const found = lstatSync(join(rootfs, path), { throwIfNoEntry: false }) === undefined ? "gone" : "STILL THERE";
  return `  ${path.padEnd(24)}${found}, hidden by ${kind} in layer ${upper + 1}`;
}

/** For each path, the last layer that says something about it. */
function provenanceOfAll(): Map<string, Provenance> {
  const all = new Map<string, Provenance>();
  for (const [layer, { entries }] of demoLayers.entries()) {
    for (const { path, note = "", hides } of entries) {
      if (hides === undefined) all.set(path, { layer: layer + 1, note });
    }
  }
  return all;
}

interface Found {
  readonly path: string;
  readonly drawing: string;
  readonly stats: Stats;
}

function walk(rootfs: string, directory: string, indent: string): Found[] {
  const names = readdirSync(join(rootfs, directory)).sort();
  return names.flatMap((name, index) => {
    const path = directory === "" ? name : `${directory}/${name}`;
    const isLast = index === names.length - 1;
    const stats = lstatSync(join(rootfs, path));
    const target = stats.isSymbolicLink() ? ` → ${readlinkSync(join(rootfs, path))}` : "";
    const found = { path, drawing: `${indent}${isLast ? "└─ " : "├─ "}${name}${target}`, stats };
    return stats.isDirectory() ? [found, ...walk(rootfs, path, `${indent}${isLast ? "   " : "│  "}`)] : [found];
  });
}

/** `-rwsr-xr-x`, as `ls -l` has it. */
function modeText(stats: Stats): string {
  const kind = stats.isDirectory() ? "d" : stats.isSymbolicLink() ? "l" : "-";
  const triples = [stats.mode >> 6, stats.mode >> 3, stats.mode].map(
    (bits) => (bits & 4 ? "r" : "-") + (bits & 2 ? "w" : "-") + (bits & 1 ? "x" : "-"),
  );
  return kind + triples.map((triple, index) => special(triple, index, stats.mode)).join("");
}

/** Set-user-ID, set-group-ID and sticky take the place of an `x`. */
function special(triple: string, index: number, mode: number): string {
  if ((mode & (0o4000 >> index)) === 0) return triple;
  const letter = index === 2 ? "t" : "s";
  return triple.slice(0, 2) + (triple.endsWith("x") ? letter : letter.toUpperCase());
}
