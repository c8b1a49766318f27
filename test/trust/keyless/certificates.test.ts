import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, test } from "node:test";
import { OtherIdentity, type SignatureCandidate } from "../../../src/trust/candidate.ts";
import { identityMatch } from "../../../src/trust/keyless/identity.ts";
import { IdentitySigner } from "../../../src/trust/keyless/signers.ts";
import type { SignerIdentity } from "../../../src/trust/options.ts";
import { signedContent } from "../../../src/trust/signed-content.ts";
import { payloadOf } from "../signing.ts";
import * as der from "./der.ts";
import {
  annotationsOf,
  authority,
  authorityInRoot,
  bundleWith,
  type Certificate,
  certificate,
  extension,
  Instance,
  logEntry,
  minutes,
  named,
  namesExtension,
  type Pair,
  pair,
  type SignerChanges,
  signedStatement,
  signing,
  usual,
} from "./instance.ts";
import { accepted, bundle, instance, logged, refused, rootOf, subject, v1, verdict } from "./keyless-candidates.ts";

// Whose certificates count, and for whom: each rule with what is right and what is wrong in one respect.

test("a certificate of an authority of the root, with an entry of its log, counts; and the evidence says when", async () => {
  assert.deepEqual(await verdict(bundle()), { ...usual, ...logged });
});

describe("V10: the identity and who vouches for it are compared whole, in every form of name", () => {
  const names: Readonly<Record<string, readonly [value: Buffer, name: string]>> = {
    "a URI": [named.uri("https://a.example/b"), "https://a.example/b"],
    "an e-mail address": [named.email("who@a.example"), "who@a.example"],
    "a DNS name": [named.dns("a.example"), "a.example"],
    "a user name": [named.user("somebody"), "somebody"],
  };
  for (const [kind, [value, name]] of Object.entries(names)) {
    test(kind, async () => {
      const signer = instance.signer({ extensions: { names: namesExtension(named.uri("urn:other"), value) } });
      await accepted(bundle({ signer }), undefined, { ...usual, identity: name });
      for (const identity of [
        `${name}x`,
        name.slice(1),
        name.toUpperCase(),
        name.replace(".", "x").replace("o", "0"),
      ]) {
        await refused(/^it was signed by "urn:other" and "/, bundle({ signer }), undefined, { ...usual, identity });
      }
    });
  }

  test("the error is one of another identity, and tells who signed", async () => {
    const signer = new IdentitySigner([identityMatch({ ...usual, identity: "me" })], await rootOf(instance.document()));
    assert.throws(
      () => signer.verify(signedContent(bundle())),
      (error) =>
        error instanceof OtherIdentity &&
        error.message === `it was signed by "${usual.identity}", for whom "${usual.issuer}" vouches`,
    );
  });

  test("who vouches for it", async () => {
    for (const issuer of [`${usual.issuer}/`, usual.issuer.slice(0, -1), "https://other.example"]) {
      await refused(/for whom "https:\/\/login.example" vouches$/, bundle(), undefined, { ...usual, issuer });
    }
  });

  test("expressions match as a whole, and only where they are demanded as such", async () => {
    const { identity, issuer } = usual;
    const matching = { identityRegexp: "https://builds\\.example/.*", issuerRegexp: "other|https://login\\.example" };
    await accepted(bundle(), undefined, matching);
    for (const identityRegexp of [
      "builds",
      "https://builds",
      "example/app@main",
      "https://builds.example/app@mai",
      "|x",
    ]) {
      await refused(/^it was signed by/, bundle(), undefined, { identityRegexp, issuer });
    }
    await refused(/^it was signed by/, bundle(), undefined, { identity: "https://builds.example/.*", issuer });
    await refused(/^it was signed by/, bundle(), undefined, { identity, issuerRegexp: "https://login" });
  });

  test("an expression is one by itself, and not too long; one of each pair has to be given", () => {
    const wrong: readonly SignerIdentity[] = [
      { identityRegexp: "a)|(b", issuer: "x" },
      { identityRegexp: "(", issuer: "x" },
      { identityRegexp: "a".repeat(501), issuer: "x" },
      { identity: "a" },
      { issuer: "x" },
      { identity: "", issuer: "x" },
      { identity: "a", identityRegexp: "a", issuer: "x" },
    ];
    for (const each of wrong) assert.throws(() => identityMatch(each), { code: "INVALID_OPTION" });
  });

  const { older, newer } = signing;
  const other = "https://other.example";
  const hostile: Readonly<Record<string, readonly [NonNullable<SignerChanges["extensions"]>, RegExp]>> = {
    "two issuers that differ": [
      { older: extension("1.3.6.1.4.1.57264.1.1", Buffer.from(other)) },
      /^its certificate names two issuers$/,
    ],
    "a newer issuer that is no string": [
      { newer: extension("1.3.6.1.4.1.57264.1.8", Buffer.from(usual.issuer)) },
      /^its certificate has an issuer that is no string$/,
    ],
    "the newer issuer twice": [{ more: newer }, /has the extension 1\.3\.6\.1\.4\.1\.57264\.1\.8 twice$/],
    "the older issuer twice": [{ more: older }, /has the extension 1\.3\.6\.1\.4\.1\.57264\.1\.1 twice$/],
    "names twice": [{ more: namesExtension(named.email("me@a.example")) }, /has the extension 2\.5\.29\.17 twice$/],
    "a name with a zero in it": [
      { names: namesExtension(named.uri(`${usual.identity}\0.example`)) },
      /^its certificate has a name that is not printable$/,
    ],
    "no name": [{ names: undefined }, /^it was signed by nobody, for whom/],
    "no issuer": [{ older: undefined, newer: undefined }, /^its certificate does not say who vouched/],
  };
  for (const [title, [extensions, reason]] of Object.entries(hostile)) {
    test(title, async () => {
      await refused(reason, bundle({ signer: instance.signer({ extensions }) }));
    });
  }

  test("one of the two extensions is enough, in either form", async () => {
    await accepted(bundle({ signer: instance.signer({ extensions: { older: undefined } }) }));
    await accepted(bundle({ signer: instance.signer({ extensions: { newer: undefined } }) }));
  });
});

describe("V11: the certificate is one for signing code, of an authority that was valid then", () => {
  // What stands for one extension is put into the list of all, so that it may be several.
  const many = Buffer.concat(
    Array.from({ length: 60 }, (_, index) => extension(`1.2.3.${index}`, Buffer.from([5, 0]))),
  );
  const unknown = extension("1.2.3.4", Buffer.from([5, 0]), true);
  const leaves: Readonly<Record<string, readonly [SignerChanges, RegExp]>> = {
    "of an authority that is not in the root": [
      { issuer: new Instance().intermediate },
      /^no authority of the trusted root issued its certificate$/,
    ],
    "that signed itself": [
      { issuer: { subject: "", pair: pair() } },
      /^no authority of the trusted root issued its certificate$/,
    ],
    "for something else": [
      { extensions: { purpose: extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.1"))) } },
      /^its certificate is not for signing code$/,
    ],
    "for nothing that it says": [{ extensions: { purpose: undefined } }, /^its certificate is not for signing code$/],
    "whose key is not for signatures": [
      { extensions: { usage: extension("2.5.29.15", der.bits(Buffer.from([0x20]), 5), true) } },
      /^its certificate is not for signatures$/,
    ],
    "of an authority": [
      { extensions: { constraints: authority.constraints() } },
      /^its certificate is one of an authority$/,
    ],
    "with something critical that is not known": [
      { extensions: { more: unknown } },
      /has the critical extension 1\.2\.3\.4, of which nothing is known$/,
    ],
    "with very many extensions": [{ extensions: { more: many } }, /^a certificate has \d\d extensions$/],
    "that was not valid yet": [{ from: minutes(1) }, /^its certificate is valid from .* on, after 2025-06-01T12:00:00/],
    "that had expired": [{ until: minutes(-1) }, /^its certificate expired at .*, before 2025-06-01T12:00:00/],
  };
  for (const [title, [changes, reason]] of Object.entries(leaves)) {
    test(`not one ${title}`, async () => {
      await refused(reason, bundle({ signer: instance.signer(changes) }));
    });
  }

  const { intermediateWith } = Instance.prototype;
  const intermediates: Readonly<Record<string, readonly [Parameters<typeof intermediateWith>[0], RegExp]>> = {
    "not an authority": [{ extensions: [authority.usage] }, /^no authority of the trusted root issued/],
    "not for certificates": [
      { extensions: [authority.constraints(0), signing.usage] },
      /^no authority of the trusted root issued/,
    ],
    "not for signing code": [
      {
        extensions: [
          authority.constraints(0),
          authority.usage,
          extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.1"))),
        ],
      },
      /^no authority of the trusted root issued/,
    ],
    "limited by what is not known": [
      { extensions: [authority.constraints(0), authority.usage, unknown] },
      /has the critical extension 1\.2\.3\.4/,
    ],
    "not valid then": [
      { until: minutes(-60) },
      /^an authority of its certificate was not valid at 2025-06-01T12:00:00/,
    ],
  };
  for (const [title, [changes, reason]] of Object.entries(intermediates)) {
    test(`and not one of an authority that is ${title}`, async () => {
      const issuer = instance.intermediateWith(changes);
      const certificateAuthorities = [authorityInRoot([issuer, instance.root])];
      await refused(
        reason,
        bundle({ signer: instance.signer({ issuer }) }),
        instance.document({ certificateAuthorities }),
      );
    });
  }

  test("nor one that is further from the root than an authority may be", async () => {
    const lower = instance.intermediateWith({ subject: "lower", issuer: instance.intermediate });
    const signer = instance.signer({ issuer: lower });
    const chain = [lower, instance.intermediate, instance.root];
    const document = instance.document({ certificateAuthorities: [authorityInRoot(chain)] });
    await refused(/^no authority of the trusted root issued/, bundle({ signer }), document);
    const upper = instance.intermediateWith({ extensions: [authority.constraints(1), authority.usage] });
    const allowed = instance.intermediateWith({ subject: "lower", issuer: upper });
    const root = instance.document({ certificateAuthorities: [authorityInRoot([allowed, upper, instance.root])] });
    await accepted(bundle({ signer: instance.signer({ issuer: allowed }) }), root);
  });

  test("an authority counts only for the time that the root has it for", async () => {
    const chain = [instance.intermediate, instance.root];
    const until = (end: string) =>
      instance.document({ certificateAuthorities: [authorityInRoot(chain, { start: "2021-01-01T00:00:00Z", end })] });
    await accepted(bundle(), until("2025-06-01T12:00:00Z"));
    await refused(/^the trusted root has its authority for another time/, bundle(), until("2025-06-01T11:59:59Z"));
  });

  test("authorities that come with a signature lead to the root, and are never one", async () => {
    const payload = Buffer.from(JSON.stringify(payloadOf(subject)));
    const made = (by: Instance, chain: readonly Certificate[]): SignatureCandidate => {
      const leaf = by.signer({ certificateLog: instance.certificateLog });
      const signature = sign("sha256", payload, leaf.pair.privateKey);
      const parts = { data: payload, payload, signature, by: leaf };
      const entry = logEntry(parts, { kind: "hashedrekord", log: instance.rekor });
      const annotations = annotationsOf(signature, { certificate: leaf, chain, entry });
      return { format: "simple-signing", subject, digest: subject, payload, annotations };
    };
    const rootAlone = instance.document({ certificateAuthorities: [authorityInRoot([instance.root])] });
    await accepted(made(instance, [instance.intermediate]), rootAlone);
    await accepted(made(instance, [instance.intermediate, instance.root]), rootAlone);
    await refused(/^no authority of the trusted root issued/, made(instance, []), rootAlone);
    const other = new Instance();
    await refused(/^no authority/, made(other, [other.intermediate, other.root]), rootAlone);
    await refused(/^it comes with 9 certificates/, made(instance, Array(9).fill(instance.intermediate)), rootAlone);
  });
});

describe("V14: the certificate is in a log of certificates, where the root names some", () => {
  test("without one, or in another's", async () => {
    const reason = /^its certificate is in no log of certificates/;
    await refused(reason, bundle({ signer: instance.signer({ certificateLog: null }) }));
    await refused(reason, bundle({ signer: instance.signer({ certificateLog: new Instance().certificateLog }) }));
    const underItsName = { ...instance.certificateLog, privateKey: pair().privateKey };
    await refused(reason, bundle({ signer: instance.signer({ certificateLog: underItsName }) }));
  });

  test("a root without such logs demands none, and does not mind one", async () => {
    const root = instance.document({ ctlogs: [] });
    await accepted(bundle(), root);
    await accepted(bundle({ signer: instance.signer({ certificateLog: null }) }), root);
  });
});

describe("a bundle with a certificate is read strictly", () => {
  const other = instance.signer();
  const cases: Readonly<Record<string, readonly [object, RegExp]>> = {
    "with a chain of certificates": [
      {
        certificate: undefined,
        x509CertificateChain: { certificates: [{ rawBytes: other.bytes.toString("base64") }] },
      },
      /^its bundle is not valid: /,
    ],
    "with a certificate that is none": [
      { certificate: { rawBytes: Buffer.from("no DER").toString("base64") } },
      /^its certificate cannot be read$/,
    ],
    "with another's certificate": [
      { certificate: { rawBytes: other.bytes.toString("base64") } },
      /^somebody else made the signature/,
    ],
    "with a key": [
      { certificate: undefined, publicKey: { hint: "" } },
      /^it was signed with a key, not with a certificate$/,
    ],
  };
  for (const [title, [more, reason]] of Object.entries(cases)) {
    test(title, async () => {
      await refused(reason, bundle({ more }));
    });
  }

  test("with a signature of another key, although log and certificate agree", async () => {
    const signed = signedStatement(subject, { ...instance.signer(), pair: pair() });
    const bytes = bundleWith(signed, { entries: [logEntry(signed, v1)] });
    await refused(/^somebody else made the signature/, { format: "bundle", subject, digest: subject, bundle: bytes });
  });

  test("with a certificate that another authority issued under the same name", async () => {
    const pretended = certificate({
      ...instance.root,
      pair: pair(),
      extensions: [authority.constraints(), authority.usage],
    });
    const issuer = instance.intermediateWith({ issuer: pretended });
    await refused(/^no authority of the trusted root issued/, bundle({ signer: instance.signer({ issuer }) }));
  });
});

describe("V18: the key of a certificate is of a type that signatures are verified with", () => {
  const signedBy = (own: Pair, hash?: string): SignatureCandidate => {
    const signed = signedStatement(subject, instance.signer({ pair: own }), {}, hash);
    const bytes = bundleWith(signed, { entries: [logEntry(signed, v1)] });
    return { format: "bundle", subject, digest: subject, bundle: bytes };
  };
  const curve = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });

  test("each of them, and a curve's own hash", async () => {
    await accepted(signedBy(curve("P-384")));
    await accepted(signedBy(curve("P-384"), "sha384"));
    await accepted(signedBy(curve("P-521"), "sha512"));
    await accepted(signedBy(generateKeyPairSync("rsa", { modulusLength: 2048 })));
    await accepted(signedBy(generateKeyPairSync("ed25519")));
  });

  test("no other hash, no other curve, and no short key", async () => {
    await refused(/^somebody else made the signature/, signedBy(curve("P-256"), "sha384"));
    await refused(/^the key of its certificate is a key on the curve secp256k1$/, signedBy(curve("secp256k1")));
    const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
    await refused(/^the key of its certificate is an RSA key of 1024 bits, 2048 are needed$/, signedBy(short));
  });
});
