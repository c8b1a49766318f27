import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The results' sections, in the order in which they stand. Each is written by one command, whole. */
const titles = [
  "Loopback, tmpfs",
  "Loopback, ext4",
  "1 Gbit/s, tmpfs",
  "Start-up",
  "The second time",
  "Connections",
  "Growth",
  "Cores",
] as const;

export type Title = (typeof titles)[number];

const introduction = `# Results

Each section was written by the command that measured it; [README.md](README.md) says how, and how to read it.`;

/** A file beside the results. */
export function resultFile(name: string): string {
  return fileURLToPath(new URL(`../../bench/${name}`, import.meta.url));
}

/** Replaces a section of `results.md`, and leaves the others. */
export async function writeSection(title: Title, text: string): Promise<void> {
  const file = resultFile("results.md");
  const sections = sectionsOf(await readFile(file, "utf8").catch(() => ""));
  sections.set(title, text.trim());
  const known = titles.filter((each) => sections.has(each));
  await writeFile(
    file,
    `${[introduction, ...known.map((each) => `## ${each}\n\n${sections.get(each)}`)].join("\n\n")}\n`,
  );
  console.error(`wrote "${title}" in ${file}`);
}

function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^## /m).slice(1);
  return new Map(parts.map((part) => [part.split("\n", 1)[0] ?? "", part.slice(part.indexOf("\n") + 1).trim()]));
}
