import { Buffer } from "node:buffer";
import { createPublicKey, sign } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RegistryDouble } from "../../support/registry-double.ts";
import * as der from "../keyless/der.ts";
import {
  annotationsOf,
  authority,
  bundleWith,
  type Certificate,
  type CertificateWish,
  certificate,
  certificatePem,
  extension,
  Instance,
  logEntry,
  minutes,
  named,
  namesExtension,
  type Pair,
  pair,
  type SignedStatementParts,
  type SignerChanges,
  signedStatement,
} from "../keyless/instance.ts";
import { payloadOf, pemOf, type Signer, storeBundle, storeSimpleSignings } from "../signing.ts";

/** What a policy is about whose requirements are about certificates and logs. */
export interface CertifiedStage {
  readonly place: string;
  readonly registry: RegistryDouble;
  readonly key: Signer;
  /** The image that all of them sign. */
  readonly subject: { readonly digest: string; readonly mediaType: string; readonly size: number };
  /** Puts the image into a repository, unsigned. */
  store(repository: string): void;
}

const always = { from: new Date("2020-01-01T00:00:00Z"), until: new Date("2049-01-01T00:00:00Z") };
const purpose = (oid: string) => extension("2.5.29.37", der.sequence(der.oid(oid)));
const email = "builder@people.example";
export const otherLog = pair();

/** A public-key infrastructure: a root, an authority below it, and whoever that certifies. */
function infrastructure() {
  const made = (wish: Partial<CertificateWish> & Pick<CertificateWish, "subject" | "issuer">) =>
    certificate({ ...always, pair: pair(), extensions: [], ...wish });
  const own = { subject: "pki root", pair: pair() };
  const root = made({ ...own, issuer: own, extensions: [authority.constraints(), authority.usage] });
  const below = (issuer: Certificate, longest: number | undefined) =>
    made({ subject: `below ${issuer.subject}`, issuer, extensions: [authority.constraints(longest), authority.usage] });
  const intermediate = below(root, 0);
  const names = namesExtension(named.email(email), named.dns("builder.example"), named.dns("*.wild.example"));
  const signer = (changes: Partial<CertificateWish> & { readonly purpose?: Buffer | null } = {}) => {
    const { purpose: use = purpose("1.3.6.1.5.5.7.3.3"), ...others } = changes;
    return made({ subject: "", issuer: intermediate, extensions: [names, ...(use === null ? [] : [use])], ...others });
  };
  return { root, intermediate, below, signer, made };
}

/** Puts images into the registry, each signed as its repository's name says, and certificates and keys into files. */
export async function storeCertified(stage: CertifiedStage): Promise<void> {
  const instance = new Instance();
  const { root, intermediate, below, signer, made } = infrastructure();
  const stranger = infrastructure();
  const files = {
    "pki-root.pem": certificatePem(root),
    "pki-intermediate.pem": certificatePem(intermediate),
    "pki-both.pem": certificatePem(stranger.root) + certificatePem(root),
    "pki-other.pem": certificatePem(stranger.root),
    "fulcio.pem": certificatePem(instance.root),
    "fulcio-intermediate.pem": certificatePem(instance.intermediate),
    "rekor.pub": pemOf(instance.rekor.publicKey),
    "other-rekor.pub": pemOf(otherLog.publicKey),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(stage.place, name), text);
  const chain = [intermediate, root];

  const pki = (name: string, leaf: Certificate, more: readonly Certificate[] = chain, by = leaf.pair) =>
    storeSigned(stage, `pki/${name}`, by, () => ({ certificate: leaf, chain: more }));
  pki("good", signer());
  pki("no-chain", signer(), []);
  pki("expired", signer({ until: new Date("2021-01-01T00:00:00Z") }));
  pki("future", signer({ from: new Date("2048-01-01T00:00:00Z") }));
  pki("no-purpose", signer({ purpose: null }));
  pki("any-purpose", signer({ purpose: purpose("2.5.29.37.0") }));
  pki("other-purpose", signer({ purpose: purpose("1.3.6.1.5.5.7.3.1") }));
  pki("other-key", signer(), chain, pair());
  pki("stranger", stranger.signer(), [stranger.intermediate, stranger.root]);
  const further = below(intermediate, undefined);
  pki("too-far", signer({ issuer: further }), [further, ...chain]);
  const noAuthority = signer();
  pki("no-authority", signer({ issuer: { ...noAuthority, subject: "" } }), [noAuthority, ...chain]);
  const expired = made({
    subject: "expired",
    issuer: root,
    until: new Date("2021-01-01T00:00:00Z"),
    extensions: [authority.constraints(), authority.usage],
  });
  pki("expired-authority", signer({ issuer: expired }), [expired, root]);
  for (const [name, domain] of [
    ["constrained", "people.example"],
    ["constrained-otherwise", "other.example"],
  ] as const) {
    const subtree = der.sequence(der.plainContext(1, Buffer.from(domain)));
    const constraints = extension("2.5.29.30", der.sequence(der.context(0, subtree)));
    const constrained = made({ subject: name, issuer: root, extensions: [authority.constraints(), constraints] });
    pki(name, signer({ issuer: constrained }), [constrained, root]);
  }
  pki("uri", signer({ extensions: [namesExtension(named.uri(email)), purpose("1.3.6.1.5.5.7.3.3")] }));
  pki("address", signer({ extensions: [namesExtension(der.plainContext(7, Buffer.from([127, 0, 0, 1])))] }));
  storeSigned(stage, "pki/key-alone", signer().pair, () => ({}));
  storeBundled(stage, "pki/bundle", signer({ issuer: root }), () => []);

  const emailSigner = (changes: SignerChanges = {}) => {
    const names = namesExtension(named.email(email));
    return instance.signer({ ...changes, extensions: { names, ...changes.extensions } });
  };
  const instanceChain = [instance.intermediate, instance.root];
  const wish = { kind: "hashedrekord", log: instance.rekor } as const;
  const fulcio = (name: string, leaf: Certificate, entryWish: object = {}, more = instanceChain) =>
    storeSigned(stage, `fulcio/${name}`, leaf.pair, (data, signature) => ({
      certificate: leaf,
      chain: more,
      entry: logEntry({ data, payload: data, signature, by: leaf }, { ...wish, ...entryWish }),
    }));
  fulcio("good", emailSigner());
  fulcio("no-chain", emailSigner(), {}, []);
  fulcio("without-certificate-log", emailSigner({ certificateLog: null }));
  fulcio("late", emailSigner(), { at: minutes(6) });
  fulcio("other-log", emailSigner(), { log: { ...otherLog, url: instance.rekor.url } });
  fulcio("older-issuer", emailSigner({ extensions: { newer: undefined } }));
  fulcio("newer-issuer", emailSigner({ extensions: { older: undefined } }));
  fulcio("no-issuer", emailSigner({ extensions: { older: undefined, newer: undefined } }));
  const disagreeing = extension("1.3.6.1.4.1.57264.1.8", der.utf8("https://other.example"));
  fulcio("two-issuers", emailSigner({ extensions: { newer: disagreeing } }));
  fulcio("uri", emailSigner({ extensions: { names: namesExtension(named.uri(email)) } }));
  fulcio("no-purpose", emailSigner({ extensions: { purpose: undefined } }));
  const leaf = emailSigner();
  storeSigned(stage, "fulcio/no-entry", leaf.pair, () => ({ certificate: leaf, chain: instanceChain }));
  storeSigned(stage, "fulcio/other-entry", leaf.pair, (data) => {
    const signature = sign("sha256", Buffer.from("other bytes"), leaf.pair.privateKey);
    const entry = logEntry({ data, payload: data, signature, by: leaf }, wish);
    return { certificate: leaf, chain: instanceChain, entry };
  });
  storeSigned(stage, "fulcio/other-certificate", leaf.pair, (data, signature) => {
    const entry = logEntry({ data, payload: data, signature, by: emailSigner({ pair: leaf.pair }) }, wish);
    return { certificate: leaf, chain: instanceChain, entry };
  });
  const direct = emailSigner({ issuer: instance.root });
  storeBundled(stage, "fulcio/bundle", direct, (signed) => [logEntry(signed, { ...wish, kind: "dsse" })]);

  const { privateKey } = stage.key;
  const owner = { privateKey, publicKey: createPublicKey(privateKey) };
  const logged = (name: string, by: object, entryWish: object = {}) =>
    storeSigned(stage, `log/${name}`, owner, (data, signature) => ({
      entry: logEntry({ data, payload: data, signature, by: owner, ...by }, { ...wish, ...entryWish }),
    }));
  logged("good", {});
  logged("other-key", { by: { publicKey: pair().publicKey } });
  logged("other-signature", { signature: Buffer.from("another") });
  logged("other-payload", { data: Buffer.from("other bytes") });
  logged("other-log", {}, { log: { ...otherLog, url: instance.rekor.url } });
  storeSigned(stage, "log/no-entry", owner, () => ({}));
}

/** Stores the image with a simple signing under its own name, and with what comes with that signature. */
function storeSigned(
  { registry, store, subject }: CertifiedStage,
  repository: string,
  { privateKey }: Pick<Pair, "privateKey">,
  materialOf: (data: Buffer, signature: Buffer) => Parameters<typeof annotationsOf>[1],
): void {
  store(repository);
  const identity = { "docker-reference": `${registry.host}/${repository}:1` };
  const payload = JSON.stringify(payloadOf(subject.digest, { identity }));
  const data = Buffer.from(payload);
  const signature = sign("sha256", data, privateKey);
  const annotations = annotationsOf(signature, materialOf(data, signature));
  const by = { privateKey, pem: "", hash: "sha256" };
  storeSimpleSignings(registry, repository, subject.digest, [
    { payload, by, signature: signature.toString("base64"), annotations },
  ]);
}

/** Stores the image with a bundle. */
function storeBundled(
  { registry, store, subject }: CertifiedStage,
  repository: string,
  by: Certificate,
  entriesOf: (signed: SignedStatementParts) => readonly object[],
): void {
  store(repository);
  const signed = signedStatement(subject.digest, by);
  const bytes = bundleWith(signed, { entries: entriesOf(signed) }).toString();
  storeBundle(registry, repository, subject, { privateKey: by.pair.privateKey, pem: "", hash: "sha256" }, { bytes });
}
