/** What a letter behind a number multiplies it by. */
export const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** Reads `500M` as 500 times 1024²; `undefined` for what is no size. */
export function parseSize(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d+)([KMGT]?)$/.exec(text.toUpperCase()) ?? [];
  const bytes = Number(digits) * (sizeUnits[unit] ?? 1);
  return digits === "" || !Number.isSafeInteger(bytes) ? undefined : bytes;
}
