import type { TlsMaterial } from "../options.ts";

/** Both together: the authorities of both, the client certificate of the first that has one, verification only if neither skips it. */
export function combinedTls(first: TlsMaterial | undefined, second: TlsMaterial | undefined): TlsMaterial | undefined {
  const ca = [...(first?.ca ?? []), ...(second?.ca ?? [])];
  const { cert, key } = (first?.cert === undefined ? second : first) ?? {};
  const insecureSkipVerify = Boolean(first?.insecureSkipVerify || second?.insecureSkipVerify);
  const client = cert !== undefined && key !== undefined ? { cert, key } : undefined;
  if (ca.length === 0 && client === undefined && !insecureSkipVerify) return undefined;
  return { ca, ...client, ...(insecureSkipVerify && { insecureSkipVerify }) };
}

/** Gives the same object for the same material: connections are shared between requests that bring the same object. */
export function sharedTls(): (material: TlsMaterial) => TlsMaterial {
  const known = new Map<string, TlsMaterial>();
  return (material) => {
    const text = JSON.stringify([material.ca, material.cert, material.key, material.insecureSkipVerify]);
    const first = known.get(text) ?? material;
    known.set(text, first);
    return first;
  };
}
