/** Those that a flag names, separated by commas, or all. */
export function chosen<T>(all: readonly T[], nameOf: (one: T) => string, flag: string | undefined): readonly T[] {
  if (flag === undefined) return all;
  const names = flag.split(",");
  const unknown = names.find((name) => !all.some((one) => nameOf(one) === name));
  if (unknown !== undefined) throw new Error(`cannot choose "${unknown}": there are ${all.map(nameOf).join(", ")}`);
  return all.filter((one) => names.includes(nameOf(one)));
}
