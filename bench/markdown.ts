/** A table in Markdown that reads well as text too. The first column holds names, and the others numbers. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(3, ...[title, ...rows.map((row) => row[column] ?? "")].map(length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => padded(cells, column, width)).join(" | ")} |`;
  const rule = widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(header), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function padded(cells: readonly string[], column: number, width: number): string {
  const cell = cells[column] ?? "";
  const space = " ".repeat(width - length(cell));
  return column === 0 ? cell + space : space + cell;
}

/** In characters as a terminal shows them, as far as this project's tables have them. */
function length(text: string): number {
  return [...text].length;
}

/** 1234567 as 1,234,567. */
export function grouped(count: number): string {
  return count.toLocaleString("en");
}
