import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { OciUnpackError } from "../base/errors.ts";
import { invalidOption } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { fileSystemError } from "../base/system-error.ts";
import type { Demand } from "./demand.ts";
import { KeySigner } from "./key-signer.ts";
import type { TrustOptions } from "./options.ts";
import type { SignedImage } from "./signed-image.ts";
import type { Signer } from "./signer.ts";
import { type VerificationKey, verificationKey } from "./verification-key.ts";

/** What is demanded, with all files read. */
export interface TrustRequirements {
  /** What is demanded of one image: all of it has to be fulfilled. */
  demandsFor(image: SignedImage): readonly Demand[];
  /** What was decided while it was read. */
  readonly notes: readonly string[];
}

/**
 * Reads what is demanded: each signer that is named has to have made a signature or, where attestations are demanded, one
 * of each type.
 *
 * Throws `INVALID_OPTION` for a key, identity or trusted root that cannot be used, and where nothing is demanded.
 */
export async function readTrust(options: TrustOptions): Promise<TrustRequirements> {
  const { attestations = [] } = options;
  const { keys, identities, root } = await readSigners(options);
  const signers = [
    ...(keys === undefined ? [] : [{ origin: "keys", signer: keys } as const]),
    ...(identities === undefined ? [] : [{ origin: "identities", signer: identities } as const]),
  ];
  if (signers.length === 0) throw nothingDemanded(options);
  const types = attestations.length === 0 ? [undefined] : [...new Set(attestations)];
  const demands = signers.flatMap((by) => types.map((predicateType) => present({ ...by, predicateType })));
  return {
    demandsFor: () => demands,
    notes: root === undefined ? [] : [`whose certificates and logs count says ${root}`],
  };
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

function nothingDemanded({ attestations = [], trustedRoot }: TrustOptions): OciUnpackError {
  if (attestations.length > 0) {
    return invalidOption("trust.attestations", "nobody is named who attests", "name a key or an identity too");
  }
  return trustedRoot === undefined
    ? invalidOption("trust", "it demands nothing", "name a key or an identity, or leave the option out")
    : invalidOption("trust.trustedRoot", "nobody is named whose signature it is for", "name a key or an identity too");
}

async function keySigner(keys: readonly (string | URL)[]): Promise<KeySigner> {
  return new KeySigner(await Promise.all(keys.map(readKey)));
}

async function readKey(key: string | URL): Promise<VerificationKey> {
  if (typeof key === "string" && key.includes("-----BEGIN ")) return verificationKey(key);
  const path = key instanceof URL ? fileURLToPath(key) : key;
  try {
    return verificationKey(await readFile(path, "utf8"), path);
  } catch (error) {
    throw keyError(error, path);
  }
}

function keyError(error: unknown, path: string): unknown {
  const told = fileSystemError(error, `read the key "${path}"`);
  if (!(told instanceof OciUnpackError) || told.code === "INVALID_OPTION") return told;
  return new OciUnpackError("INVALID_OPTION", told.message, {
    hint: "name a file with a public key in PEM, such as cosign.pub",
    details: { option: "trust.keys" },
    cause: error,
  });
}
