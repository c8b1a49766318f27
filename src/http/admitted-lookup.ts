import type { LookupAddress, LookupAllOptions } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Reach } from "./policy.ts";

/** What this asks of `dns.lookup`. */
type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves names with `resolve`, and gives a socket only addresses that are within reach.
 *
 * A socket connects to what its lookup gave it and to nothing else, so what is judged here is what is connected to: a
 * name that changes its address between a check and the connection changes nothing.
 */
export function admittedLookup(reach: Reach, host: string, resolve: ResolveAll): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const { admitted, refusal } = judged(addresses, reach, host);
      const [first] = admitted;
      if (first === undefined) return callback(refusal ?? notFound(hostname), []);
      return options.all ? callback(null, admitted) : callback(null, first.address, first.family);
    });
  };
}

function judged(addresses: readonly LookupAddress[], reach: Reach, host: string) {
  const admitted: LookupAddress[] = [];
  let refusal: Error | undefined;
  for (const one of addresses) {
    try {
      reach.admit(host, one.address);
      admitted.push(one);
    } catch (error) {
      refusal = error instanceof Error ? error : undefined;
    }
  }
  return { admitted, refusal };
}

function notFound(hostname: string): Error {
  return Object.assign(new Error(`no address for ${hostname}`), { code: "ENOTFOUND" });
}
