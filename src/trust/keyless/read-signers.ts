import { invalidOption } from "../../base/option-checks.ts";
import type { KeySigner } from "../key-signer.ts";
import type { TrustOptions } from "../options.ts";
import type { Signer } from "../signer.ts";
import { identityMatch } from "./identity.ts";
import { IdentitySigner, LoggedKeySigner } from "./signers.ts";
import { readTrustedRoot } from "./trusted-root.ts";

/** Who is demanded by what a trusted root has. */
export interface RootedSigners {
  readonly keys?: Signer;
  readonly identities?: Signer;
  /** The trusted root in words. */
  readonly root: string;
}

/**
 * Reads the identities and the trusted root that are demanded. Where the root is named, the signatures of keys have to be in
 * one of its logs. Throws `INVALID_OPTION`.
 */
export async function readRootedSigners(
  { identities = [], trustedRoot }: TrustOptions,
  keys: KeySigner | undefined,
): Promise<RootedSigners> {
  const matches = identities.map(identityMatch);
  const root = await readTrustedRoot(trustedRoot);
  const { tlogs, certificateAuthorities } = root.material;
  const refuse = (found: string) => invalidOption("trust.trustedRoot", `${root.name} ${found}`);
  if (matches.length > 0 && certificateAuthorities.length === 0) throw refuse("names no authority for certificates");
  if (matches.length === 0 && tlogs.length === 0) throw refuse("names no log, and a key needs nothing else of it");
  return {
    ...(keys && { keys: trustedRoot === undefined ? keys : new LoggedKeySigner(keys, root) }),
    ...(matches.length > 0 && { identities: new IdentitySigner(matches, root) }),
    root: root.name,
  };
}
