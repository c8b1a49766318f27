import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "../../../src/oci/digest.ts";
import { failureOf, type SignatureCandidate } from "../../../src/trust/candidate.ts";
import { identityMatch } from "../../../src/trust/keyless/identity.ts";
import { IdentitySigner } from "../../../src/trust/keyless/signers.ts";
import { readTrustedRoot, type TrustedRoot } from "../../../src/trust/keyless/trusted-root.ts";
import type { SignerIdentity } from "../../../src/trust/options.ts";
import { signedContent } from "../../../src/trust/signed-content.ts";
import type { SignerEvidence } from "../../../src/trust/signer.ts";
import { scratch } from "../../support/scratch.ts";
import {
  bundleWith,
  type Certificate,
  type EntryWish,
  Instance,
  logEntry,
  type SignedStatementParts,
  signedAt,
  signedStatement,
  usual,
} from "./instance.ts";

// Candidates that are right, unless something is wished otherwise, and their verdict.

/** The instance whose trusted root counts. */
export const instance = new Instance();
export const subject = digestOf(Buffer.from("an image"));
export const v1: EntryWish = { kind: "dsse", log: instance.rekor };
export const v2: EntryWish = { kind: "dsse", log: instance.rekor2, version: 2 };

export type Entries = (signed: SignedStatementParts) => readonly object[];
export type Timestamps = (signature: Uint8Array) => readonly Uint8Array[];

/** What a bundle is made of, where it is not as usual: an entry of the first log, no timestamp. */
export interface BundleWish {
  readonly signer?: Certificate;
  readonly entries?: Entries;
  readonly timestamps?: Timestamps;
  readonly more?: object;
}

export function bundle(wish: BundleWish = {}): SignatureCandidate {
  const { signer = instance.signer(), more = {} } = wish;
  const signed = signedStatement(subject, signer);
  const entries = wish.entries?.(signed) ?? [logEntry(signed, v1)];
  const timestamps = wish.timestamps?.(signed.signature) ?? [];
  const bytes = bundleWith(signed, { entries, timestamps, more });
  return { format: "bundle", subject, digest: subject, bundle: bytes };
}

/** Who signed, by a trusted root; the reason if it does not count. */
export async function verdict(
  candidate: SignatureCandidate,
  root: object = instance.document(),
  identity: SignerIdentity = usual,
): Promise<SignerEvidence | string> {
  const signer = new IdentitySigner([identityMatch(identity)], await rootOf(root));
  try {
    return await signer.verify(signedContent(candidate));
  } catch (error) {
    return failureOf(error).message;
  }
}

/** Reads a trusted root. */
export async function rootOf(document: object): Promise<TrustedRoot> {
  await using place = await scratch();
  const path = join(place.directory, "trusted_root.json");
  await writeFile(path, JSON.stringify(document));
  return await readTrustedRoot(path);
}

export async function accepted(...args: Parameters<typeof verdict>): Promise<void> {
  const found = await verdict(...args);
  assert.equal(typeof found === "string" ? found : found.issuer, usual.issuer);
}

export async function refused(reason: RegExp, ...args: Parameters<typeof verdict>): Promise<void> {
  assert.match(String(await verdict(...args)), reason);
}

export const logged = { loggedAtSeconds: signedAt.getTime() / 1000 };
export const stamped = { timestampedAtSeconds: signedAt.getTime() / 1000 };
