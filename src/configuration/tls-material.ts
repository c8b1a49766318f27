/** Both together: the authorities of both, the client certificate of the first that has one, verification only if neither skips it. */
import type { TlsMaterial } from "../http/options.ts";
export function combinedTls(first: TlsMaterial | undefined, second: TlsMaterial | undefined): TlsMaterial | undefined {
  const ca = [...(first?.ca ?? []), ...(second?.ca ?? [])];
  const { cert, key } = (first?.cert === undefined ? second : first) ?? {};
  const insecureSkipVerify = Boolean(first?.insecureSkipVerify || second?.insecureSkipVerify);
  const client = cert !== undefined && key !== undefined ? { cert, key } : undefined;
  if (ca.length === 0 && client === undefined && !insecureSkipVerify) return undefined;
  return { ca, ...client, ...(insecureSkipVerify && { insecureSkipVerify }) };
}

/** What becomes of all material before it is used. */
export type SharedTls = (material: TlsMaterial) => Promise<TlsMaterial>;

/**
 * Gives the same object for the same material: connections are shared between requests that bring the same object.
 *
 * Where the material has authorities, `others` are trusted beside them. Nobody asks for those before.
 */
export function sharedTls(others: () => Promise<readonly string[]> = async () => []): SharedTls {
  const known = new Map<string, TlsMaterial>();
  return async (own) => {
    const material = own.ca?.length ? { ...own, ca: [...new Set([...own.ca, ...(await others())])] } : own;
    const text = JSON.stringify([material.ca, material.cert, material.key, material.insecureSkipVerify]);
    const first = known.get(text) ?? material;
    known.set(text, first);
    return first;
  };
}
