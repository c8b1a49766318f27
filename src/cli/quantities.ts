const units = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** `0 B`, `999 B`, `1.50 kB`, `54.0 MB`: three digits, decimal units, as download tools count. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${units[unit]}`;
}

/** A message with units added to its large byte counts: `1099511627776 bytes (1 TiB)`. */
export function withUnits(message: string): string {
  return message
    .replace(/\b(\d{5,15}) bytes\b/g, (counted, digits) => `${counted} (${unitsText(Number(digits))})`)
    .replace(/(Bytes, now )(\d{5,15})\b/g, (_, before, digits) => `${before}${unitsText(Number(digits))}`);
}

/** `4 MiB` if it is exactly that, otherwise as `bytesText` writes it. */
function unitsText(bytes: number): string {
  const power = [4, 3, 2, 1].find((each) => bytes % 1024 ** each === 0);
  return power === undefined ? bytesText(bytes) : `${bytes / 1024 ** power} ${" KMGT"[power]}iB`;
}

/** `12,345`. Intl is not used, because loading it takes time. */
export function countText(count: number): string {
  // Linear: a number has few digits.
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `1 layer`, `12,345 entries`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${countText(count)} ${count === 1 ? singular : plural}`;
}

/** `0.3 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function threeDigits(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : String(Math.round(value));
}

/** The factors of the letters after a number. */
export const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/**
 * Parses a size as GNU tools do: `500M` and `500MiB` are 500 times 1024², `500MB` is 500 times 1000². `undefined` if it
 * is not a size.
 */
export function parseSize(text: string): number | undefined {
  const [, digits = "", unit = "", suffix = ""] = /^(\d+)(?:([KMGT])(I?B)?|B)?$/.exec(text.toUpperCase()) ?? [];
  const factor = suffix === "B" ? 1000 ** " KMGT".indexOf(unit) : (sizeUnits[unit] ?? 1);
  const bytes = Number(digits) * factor;
  return digits === "" || !Number.isSafeInteger(bytes) ? undefined : bytes;
}
