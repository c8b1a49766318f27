/** What a letter behind a number multiplies it by. */
export const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** Reads a size as GNU tools do: `500M` and `500MiB` are 500 times 1024², `500MB` is 500 times 1000²; `undefined` for what is no size. */
export function parseSize(text: string): number | undefined {
  const [, digits = "", unit = "", suffix = ""] = /^(\d+)(?:([KMGT])(I?B)?|B)?$/.exec(text.toUpperCase()) ?? [];
  const factor = suffix === "B" ? 1000 ** " KMGT".indexOf(unit) : (sizeUnits[unit] ?? 1);
  const bytes = Number(digits) * factor;
  return digits === "" || !Number.isSafeInteger(bytes) ? undefined : bytes;
}
