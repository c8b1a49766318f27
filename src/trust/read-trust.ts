import { Buffer } from "node:buffer";
import type { FetchOptions } from "../base/events.ts";
import { invalidOption, pathOf } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { ImageSource } from "../blob/image-source.ts";
import type { Demand } from "./demand.ts";
import { KeySigner } from "./key-signer.ts";
import { readOptionFile } from "./option-file.ts";
import type { TrustOptions } from "./options.ts";
import type { Signer } from "./signer.ts";
import { type VerificationKey, verificationKey } from "./verification-key.ts";

/** What is demanded, with all files read. */
export interface TrustRequirements {
  /** What was decided while it was read. */
  readonly notes: readonly string[];
  /**
   * What is demanded of one image: all of it has to be fulfilled. Throws `POLICY_REJECTED` if no signature could be enough.
   */
  demandsFor(image: Pick<ImageSource, "name" | "location">, options: FetchOptions): Promise<readonly Demand[]>;
}

/**
 * Reads what is demanded: each signer that is named has to have made a signature or, where attestations are demanded, one
 * of each type.
 *
 * Throws `INVALID_OPTION` for a key, identity or trusted root that cannot be used, and where nothing is demanded.
 */
export async function readTrust(options: TrustOptions): Promise<TrustRequirements> {
  const { attestations = [], policy } = options;
  const { keys, identities, root } = await readSigners(options);
  const signers = [
    ...(keys === undefined ? [] : [{ origin: "keys", signer: keys } as const]),
    ...(identities === undefined ? [] : [{ origin: "identities", signer: identities } as const]),
  ];
  if (signers.length === 0) insistOnDemand(options);
  const types = attestations.length === 0 ? [undefined] : [...new Set(attestations)];
  const demands = signers.flatMap((by) => types.map((predicateType) => present({ ...by, predicateType })));
  const ofPolicy = policy === undefined ? async () => [] : await readPolicyDemands(policy);
  return {
    notes: root === undefined ? [] : [`whose certificates and logs count says ${root}`],
    demandsFor: async (image, fetchOptions) => [...(await ofPolicy(image, fetchOptions)), ...demands],
  };
}

/** Loads what knows policies only where one is asked for. */
async function readPolicyDemands(policy: string | URL): Promise<TrustRequirements["demandsFor"]> {
  const [{ readPolicy }, { policyDemands }] = await Promise.all([
    import("./policy/policy-file.ts"),
    import("./policy/policy-demands.ts"),
  ]);
  const read = await readPolicy(policy);
  return (image, options) => policyDemands(read, image, options);
}

interface NamedSigners {
  readonly keys?: Signer;
  readonly identities?: Signer;
  /** The trusted root in words. */
  readonly root?: string;
}

/** Loads what knows certificates and logs only where they are asked for. */
async function readSigners(options: TrustOptions): Promise<NamedSigners> {
  const { keys = [], identities = [], trustedRoot } = options;
  const owner = keys.length === 0 ? undefined : await keySigner(keys);
  const isRootNeeded = identities.length > 0 || (owner !== undefined && trustedRoot !== undefined);
  if (!isRootNeeded) return present({ keys: owner });
  const { readRootedSigners } = await import("./keyless/read-signers.ts");
  return await readRootedSigners(options, owner);
}

/** Of those who are not named nothing can be demanded; a policy names its own, and of attestations it says nothing. */
function insistOnDemand({ attestations = [], trustedRoot, policy }: TrustOptions): void {
  if (attestations.length > 0) {
    throw invalidOption("trust.attestations", "nobody is named who attests", "name a key or an identity too");
  }
  if (trustedRoot !== undefined) {
    const hint = "name a key or an identity too";
    throw invalidOption("trust.trustedRoot", "nobody is named whose signature it is for", hint);
  }
  if (policy === undefined) {
    throw invalidOption("trust", "it demands nothing", "name a key, an identity or a policy, or leave the option out");
  }
}

async function keySigner(keys: readonly (string | URL)[]): Promise<KeySigner> {
  return new KeySigner(await Promise.all(keys.map(readKey)));
}

async function readKey(key: string | URL): Promise<VerificationKey> {
  if (typeof key === "string" && key.includes("-----BEGIN ")) return verificationKey(key);
  const path = pathOf(keyFile.option, key);
  return verificationKey(Buffer.from(await readOptionFile(path, keyFile)).toString(), path);
}

const keyFile = { option: "trust.keys", what: "key", hint: "name a file with a public key in PEM, such as cosign.pub" };
