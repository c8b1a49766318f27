import { platforms, tried } from "./platforms.ts";
import { linuxVerbs, portableVerbs } from "./verbs.ts";

/** The word for what works, and for what does not. */
export const cells = { true: "✔", false: "–" } as const;

/** The heads of the table's columns. On Linux with Node and koffi everything works: all other tests run there. */
export const columns = ["Node on Linux", ...platforms.map(({ name }) => name)];

/** The table of docs/platforms.md, by trying everything. Throws where a platform cannot be tried. */
export async function triedTable(): Promise<string> {
  const results: ReadonlyMap<string, boolean>[] = [];
  for (const platform of platforms) {
    if (platform.skip !== false) throw new Error(platform.skip);
    results.push(await tried(platform));
  }
  const rows = [...portableVerbs, ...linuxVerbs].map(({ name }) => {
    const worked = [true, ...results.map((result) => result.get(name) === true)];
    return [`\`${name}\``, ...worked.map((isWorking) => cells[`${isWorking}`])];
  });
  return [["", ...columns], ["---", ...columns.map(() => "---")], ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** What the page says, by the name of the platform and of the verb. */
export function cellIn(page: string, platform: string, verb: string): string | undefined {
  const row = page.split("\n").find((line) => line.startsWith(`| \`${verb}\` |`));
  return row?.split("|")[columns.indexOf(platform) + 2]?.trim();
}
