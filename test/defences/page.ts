import { type Defence, type Group, groups } from "./defence.ts";

/** The tables of docs/safety.md: what is attacked, what stands in the way, and which test fails where that is gone. */
export function page(defences: readonly Defence[]): string {
  return (Object.keys(groups) as Group[])
    .map((group) =>
      table(
        group,
        defences.filter((defence) => defence.group === group),
      ),
    )
    .join("\n");
}

function table(group: Group, defences: readonly Defence[]): string {
  const name = group.length === 1 ? `${group}: ${groups[group]}` : groups[group];
  const rows = defences.map(({ what, file, test: [place, title] }) => {
    return `| ${what} | \`${file.replace(/^src\//, "")}\` | ${place}: ${title.replaceAll("|", "\\|")} |`;
  });
  return [`### ${name}\n`, "| defence | where | fails without it |", "|---|---|---|", ...rows, ""].join("\n");
}
