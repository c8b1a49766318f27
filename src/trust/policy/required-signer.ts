import { KeySigner } from "../key-signer.ts";
import type { Signer } from "../signer.ts";
import { type VerificationKey, verificationKey } from "../verification-key.ts";
import { loaded } from "./loaded-material.ts";
import type { Material } from "./material.ts";
import { policyOption } from "./policy-file.ts";
import type { SigstoreSigned } from "./requirement.ts";

/**
 * Whoever has to have signed as a requirement has it. What knows certificates and logs is loaded where one is demanded.
 *
 * Throws `INVALID_OPTION` for a key or certificate that cannot be used.
 */
export async function requiredSigner({ by, logKeys }: SigstoreSigned): Promise<Signer> {
  const logs = await keysOf(logKeys ?? []);
  switch (by.kind) {
    case "keys": {
      const owner = new KeySigner(await keysOf(by.keys));
      return logs.length === 0 ? owner : (await import("./certified-signers.ts")).loggedSigner(owner, logs);
    }
    case "fulcio":
      return (await import("./certified-signers.ts")).fulcioSigner(by, logs);
    case "pki":
      return (await import("./certified-signers.ts")).pkiSigner(by);
  }
}

function keysOf(materials: readonly Material[]): Promise<readonly VerificationKey[]> {
  return Promise.all(materials.map(keyOf));
}

async function keyOf(material: Material): Promise<VerificationKey> {
  const { pem, name } = await loaded(material, "key");
  return verificationKey(pem, name, policyOption);
}
