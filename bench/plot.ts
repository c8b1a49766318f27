/** Points to be drawn, both numbers above 0. */
export interface Panel {
  readonly title: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  readonly title: string;
  /** The range of the y axis, powers of ten. */
  readonly from: number;
  readonly to: number;
  /** What the dashed line shows: growth in proportion to x, up to the last point, or decline in proportion from the first. */
  readonly guide: "growth" | "decline";
  /** Where to draw a line that is not to be crossed. */
  readonly limit?: number;
}

const columns = 4;
const panelWidth = 250;
const panelHeight = 190;
/** Inside a panel, around its axes. */
const margin = { left: 44, right: 12, top: 26, bottom: 26 };
const titleHeight = 30;

/** Small log-log plots side by side as an SVG document. */
export function plots(panels: readonly Panel[], options: PlotOptions): string {
  const width = Math.min(columns, panels.length) * panelWidth;
  const height = titleHeight + Math.ceil(panels.length / columns) * panelHeight;
  const drawn = panels.map((panel, index) => {
    const x = (index % columns) * panelWidth;
    const y = titleHeight + Math.floor(index / columns) * panelHeight;
    return `<g transform="translate(${x} ${y})">${drawnPanel(panel, options)}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="10">`,
    `<title>${options.title}</title>`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(width / 2, 20, options.title, 'text-anchor="middle" font-size="14"'),
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

function drawnPanel({ title, points }: Panel, { from, to, guide, limit }: PlotOptions): string {
  const [left, right] = decadesAround(points.map(([x]) => x));
  const across = axis(left, right, margin.left, panelWidth - margin.right);
  const up = axis(from, to, panelHeight - margin.bottom, margin.top);
  return [
    text(panelWidth / 2, 14, title, 'text-anchor="middle" font-size="11"'),
    ...decades(across).map((x) => line(across.at(x), up.at(from), across.at(x), up.at(to), grid)),
    ...decades(across).map((x) => text(across.at(x), panelHeight - 10, power(x), 'text-anchor="middle"')),
    ...decades(up).map((y) => line(across.at(left), up.at(y), across.at(right), up.at(y), grid)),
    ...decades(up).map((y) => text(margin.left - 6, up.at(y) + 3, power(y), 'text-anchor="end"')),
    ...(limit === undefined ? [] : [line(across.at(left), up.at(limit), across.at(right), up.at(limit), forbidden)]),
    guideLine(across, up, guide, points),
    `<polyline points="${points.map(([x, y]) => `${across.at(x)},${up.at(y)}`).join(" ")}" fill="none" stroke="#0b63c5" stroke-width="1.5"/>`,
    ...points.map(([x, y]) => `<circle cx="${across.at(x)}" cy="${up.at(y)}" r="2.5" fill="#0b63c5"/>`),
  ].join("\n");
}

const grid = 'stroke="#ddd"';
const forbidden = 'stroke="#c00"';

/** A line of slope 1 or -1, as far as it lies within the axes. */
function guideLine(across: Axis, up: Axis, guide: PlotOptions["guide"], points: Panel["points"]): string {
  const [x, y] = (guide === "growth" ? points.at(-1) : points[0]) ?? [across.from, up.from];
  const factor = guide === "growth" ? Math.min(x / across.from, y / up.from) : Math.min(across.to / x, y / up.from);
  const otherX = guide === "growth" ? x / factor : x * factor;
  return line(across.at(otherX), up.at(y / factor), across.at(x), up.at(y), 'stroke="#888" stroke-dasharray="3 3"');
}

interface Axis {
  readonly from: number;
  readonly to: number;
  at(value: number): number;
}

/** Where values lie between two positions, by their logarithms; rounded to what can be seen. */
function axis(from: number, to: number, start: number, end: number): Axis {
  const scale = (end - start) / Math.log10(to / from);
  return { from, to, at: (value) => Math.round((start + scale * Math.log10(value / from)) * 10) / 10 };
}

function decades({ from, to }: Axis): readonly number[] {
  return Array.from({ length: Math.round(Math.log10(to / from)) + 1 }, (_, index) => from * 10 ** index);
}

/** The powers of ten that hold all values between them, at least one decade apart. */
function decadesAround(values: readonly number[]): [from: number, to: number] {
  const first = Math.floor(Math.log10(Math.min(...values)));
  return [10 ** first, 10 ** Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${style}/>`;
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text x="${x}" y="${y}" ${style}>${content}</text>`;
}

/** 1000 as 10³, 0.1 as it is. */
function power(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent < 3) return String(Number(value.toPrecision(1)));
  return `10${[...String(exponent)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("")}`;
}
