import { KeySigner } from "../key-signer.ts";
import type { Signer } from "../signer.ts";
import { type VerificationKey, verificationKey } from "../verification-key.ts";
import type { Material } from "./material.ts";
import { policyOption, readPolicyFile } from "./policy-file.ts";

/** Whoever has one of the keys of a policy. Throws `INVALID_OPTION` for one that cannot be used. */
export async function keySigner(keys: readonly Material[]): Promise<Signer> {
  return new KeySigner(await Promise.all(keys.map(keyOf)));
}

async function keyOf(material: Material): Promise<VerificationKey> {
  const { pem, name } = await loaded(material);
  return verificationKey(pem, name, policyOption);
}

/** What a policy names or contains, and a name of it for messages. */
async function loaded(material: Material): Promise<{ readonly pem: string; readonly name: string }> {
  const bytes = "path" in material ? await readPolicyFile(material.path, "key") : material.bytes;
  return { pem: new TextDecoder().decode(bytes), name: "path" in material ? material.path : material.place };
}
