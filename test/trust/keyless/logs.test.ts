import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { describe, test } from "node:test";
import { failureOf, type SignatureCandidate } from "../../../src/trust/candidate.ts";
import { KeySigner } from "../../../src/trust/key-signer.ts";
import { LoggedKeySigner } from "../../../src/trust/keyless/signers.ts";
import { signedContent } from "../../../src/trust/signed-content.ts";
import { verificationKey } from "../../../src/trust/verification-key.ts";
import { payloadOf, pemOf } from "../signing.ts";
import {
  annotationsOf,
  authorityInRoot,
  bundleWith,
  type EntryWish,
  Instance,
  logEntry,
  logInRoot,
  minutes,
  pair,
  signedStatement,
  usual,
} from "./instance.ts";
import {
  accepted,
  bundle,
  type Entries,
  instance,
  logged,
  refused,
  rootOf,
  stamped,
  subject,
  type Timestamps,
  v1,
  v2,
  verdict,
} from "./keyless-candidates.ts";

// What logs and timestamp authorities vouch for: each rule with what is right and what is wrong in one respect.

describe("V12: the root decides what is demanded, and only what is signed says when", () => {
  test("a log's own time, or a timestamp", async () => {
    const both = bundle({ timestamps: (signature) => [instance.timestamp(signature)] });
    assert.deepEqual(await verdict(both), { ...usual, ...logged, ...stamped });
    const stampedAlone = bundle({
      entries: (signed) => [logEntry(signed, { ...v1, isTimeSigned: false })],
      timestamps: (signature) => [instance.timestamp(signature)],
    });
    assert.deepEqual(await verdict(stampedAlone), { ...usual, ...stamped });
  });

  test("not the bare time beside an entry", async () => {
    const entries: Entries = (signed) => [logEntry(signed, { ...v1, isTimeSigned: false })];
    await refused(/^nobody in the trusted root says when it was signed: it needs a timestamp$/, bundle({ entries }));
  });

  test("a log, where the root names some", async () => {
    const timestamps: Timestamps = (signature) => [instance.timestamp(signature)];
    const unlogged = bundle({ entries: () => [], timestamps });
    await refused(/^it is in no log, and the trusted root ".*" names some$/, unlogged);
    await accepted(unlogged, instance.document({ tlogs: [] }));
  });

  test("a timestamp, where the root names authorities for them and no logs", async () => {
    await refused(/^nobody in the trusted root says when/, bundle(), instance.document({ tlogs: [] }));
  });

  test("Rekor's second version has no time, and demands a timestamp", async () => {
    const entries: Entries = (signed) => [logEntry(signed, v2)];
    await refused(/^nobody in the trusted root says when/, bundle({ entries }));
    const timestamps: Timestamps = (signature) => [instance.timestamp(signature)];
    assert.deepEqual(await verdict(bundle({ entries, timestamps })), { ...usual, ...stamped });
    await refused(
      /^nobody in the trusted root says when/,
      bundle({ entries, timestamps }),
      instance.document({ timestampAuthorities: [] }),
    );
  });

  const hostile: Readonly<Record<string, readonly [Timestamps, RegExp]>> = {
    "over something else": [
      () => [instance.timestamp(Buffer.from("another signature"))],
      /^its timestamp does not hold: timestamp could not be verified$/,
    ],
    "by an authority of another root": [
      (signature) => [new Instance().timestamp(signature)],
      /^its timestamp does not hold/,
    ],
    "by another key under the authority's name": [
      (signature) => [instance.timestamp(signature, { by: { ...instance.timestamps, pair: pair() } })],
      /^its timestamp does not hold/,
    ],
    "for a time at which the certificate was not valid": [
      (signature) => [instance.timestamp(signature, { at: minutes(30) })],
      /^its certificate expired at .*, before 2025-06-01T12:30/,
    ],
    twice: [
      (signature) => Array(2).fill(instance.timestamp(signature)),
      /^its timestamp does not hold: duplicate timestamp$/,
    ],
    "that is none": [() => [Buffer.from("no DER")], /^its timestamp cannot be read$/],
    "too often": [(signature) => Array(33).fill(instance.timestamp(signature)), /^it has 33 timestamps$/],
  };
  for (const [title, [timestamps, reason]] of Object.entries(hostile)) {
    test(`a timestamp ${title}`, async () => {
      const entries: Entries = (signed) => [logEntry(signed, v2)];
      await refused(reason, bundle({ entries, timestamps }));
    });
  }

  test("every time that is stated has to be one at which the certificate was valid", async () => {
    const late: Entries = (signed) => [logEntry(signed, { ...v1, at: minutes(30) })];
    await refused(/^its certificate expired/, bundle({ entries: late }));
    const timestamps: Timestamps = (signature) => [instance.timestamp(signature)];
    await refused(/^its certificate expired/, bundle({ entries: late, timestamps }));
  });

  test("a root says from when on each of its logs and authorities counts", async () => {
    const { publicKey } = Object(logInRoot(instance.rekor));
    const endless = { ...logInRoot(instance.rekor), publicKey: { ...publicKey, validFor: {} } };
    for (const changes of [
      { tlogs: [endless] },
      { ctlogs: [endless] },
      { certificateAuthorities: [authorityInRoot([instance.root], {})] },
      { timestampAuthorities: [authorityInRoot([instance.timestampRoot], {})] },
    ]) {
      await assert.rejects(rootOf(instance.document(changes)), { code: "INVALID_OPTION" });
    }
  });
});

describe("V13: where the root names nobody who says when, the certificate has to be valid now", () => {
  const timeless = instance.document({ tlogs: [], timestampAuthorities: [] });
  const now = new Date();

  test("one that is", async () => {
    const signer = instance.signer({ from: minutes(-5, now), until: minutes(600, now) });
    assert.deepEqual(await verdict(bundle({ signer, entries: () => [] }), timeless), { ...usual });
  });

  test("one that has expired needs a timestamp", async () => {
    await refused(/^its certificate expired at .*, before .*: it needs a timestamp$/, bundle(), timeless);
  });
});

describe("V15: a log entry is one of this signature, by this certificate", () => {
  type Signed = ReturnType<typeof signedStatement>;
  const another = signedStatement(`sha256:${"2".repeat(64)}`, instance.signer());
  const stamping: Timestamps = (signature) => [instance.timestamp(signature)];

  for (const [version, usualEntry] of [
    [1, v1],
    [2, v2],
  ] as const) {
    for (const kind of ["dsse", "hashedrekord"] as const) {
      const wish = { ...usualEntry, kind };
      const made = (changes: (signed: Signed) => Parameters<typeof logEntry>[0], more: Partial<EntryWish> = {}) =>
        bundle({ entries: (signed) => [logEntry(changes(signed), { ...wish, ...more })], timestamps: stamping });

      test(`${kind} of version ${version}`, async () => {
        await accepted(made((signed) => signed));
        await refused(
          /signature mismatch$/,
          made(() => another),
        );
        await refused(
          /signature mismatch$/,
          made((signed) => ({ ...signed, signature: another.signature })),
        );
        const digest = /(?:hash|digest) mismatch$/;
        await refused(
          digest,
          made((signed) => ({ ...signed, data: another.data, payload: another.payload })),
        );
        const certificate = /^its log entry is about another certificate$/;
        await refused(
          certificate,
          made((signed) => ({ ...signed, by: another.by })),
        );
        await refused(
          certificate,
          made((signed) => ({ ...signed, by: { publicKey: pair().publicKey } })),
        );
      });

      test(`${kind} of version ${version}: of a log that is not in the root, or not under its key`, async () => {
        const unknown = { ...new Instance().rekor, url: wish.log.url };
        await refused(
          /^its log entry is of a log that the trusted root does not name$/,
          made((signed) => signed, { log: unknown }),
        );
        const forged = { ...wish.log, privateKey: version === 1 ? pair().privateKey : wish.log.privateKey };
        if (version === 1)
          await refused(
            /^its log entry does not hold/,
            made((signed) => signed, { log: forged }),
          );
        const elsewhere = { ...wish.log, url: "https://elsewhere.example" };
        await refused(
          /invalid checkpoint signature$/,
          made((signed) => signed, { log: elsewhere }),
        );
      });

      test(`${kind} of version ${version}: of a log whose key was not valid then`, async () => {
        const ended = { ...wish.log, end: "2025-06-01T11:59:59Z" };
        const tlogs = [logInRoot(ended)];
        await refused(
          /^its log entry is of a log whose key was not valid then$/,
          made((signed) => signed),
          instance.document({ tlogs }),
        );
      });
    }
  }

  test("an entry of a kind or version that is not known", async () => {
    const entries: Entries = (signed) => [
      logEntry(signed, { ...v1, body: { kind: "rpm", apiVersion: "0.0.1", spec: {} } }),
    ];
    await refused(/^its log entry does not hold: kind\/version mismatch|unsupported kind/, bundle({ entries }));
  });

  test("an entry without a proof and without a signed time", async () => {
    const entries: Entries = (signed) => [logEntry(signed, { ...v2, hasProof: false })];
    await refused(/^its bundle is not valid: /, bundle({ entries, timestamps: stamping }));
  });

  test("an older attestation's entry is one of it too", async () => {
    const signer = instance.signer();
    const signed = signedStatement(subject, signer, { predicateType: "https://slsa.dev/provenance/v1" });
    const made = (parts: Parameters<typeof logEntry>[0]): SignatureCandidate => ({
      format: "attestation",
      subject,
      digest: subject,
      envelope: Buffer.from(JSON.stringify(signed.envelope)),
      annotations: annotationsOf(signed.signature, { certificate: signer, entry: logEntry(parts, v1) }),
    });
    assert.deepEqual(await verdict(made(signed)), { ...usual, ...logged });
    await refused(/^its log entry is about another certificate$/, made({ ...signed, by: another.by }));
    await refused(/signature mismatch$/, made(another));
  });

  test("a simple signing's entry is one of it too", async () => {
    const payload = Buffer.from(JSON.stringify(payloadOf(subject)));
    const signer = instance.signer();
    const made = (
      change: (parts: Parameters<typeof logEntry>[0]) => Parameters<typeof logEntry>[0],
    ): SignatureCandidate => {
      const signature = sign("sha256", payload, signer.pair.privateKey);
      const parts = change({ data: payload, payload, signature, by: signer });
      const entry = logEntry(parts, { kind: "hashedrekord", log: instance.rekor });
      const annotations = annotationsOf(signature, { certificate: signer, entry });
      return { format: "simple-signing", subject, digest: subject, payload, annotations };
    };
    assert.deepEqual(await verdict(made((parts) => parts)), { ...usual, ...logged });
    await refused(
      /signature mismatch$/,
      made((parts) => ({ ...parts, signature: another.signature })),
    );
    await refused(
      /digest mismatch$/,
      made((parts) => ({ ...parts, data: another.data })),
    );
    await refused(
      /^its log entry is about another certificate$/,
      made((parts) => ({ ...parts, by: another.by })),
    );
  });
});

describe("V16: logs are counted, not entries", () => {
  test("an entry that is there twice is refused, and too many are", async () => {
    const entries =
      (count: number): Entries =>
      (signed) =>
        Array(count).fill(logEntry(signed, v1));
    await refused(/duplicate/, bundle({ entries: entries(2) }));
    await refused(/^it has 33 log entries$/, bundle({ entries: entries(33) }));
  });

  test("entries of two logs are both verified", async () => {
    const entries =
      (second: EntryWish): Entries =>
      (signed) => [logEntry(signed, v1), logEntry(signed, second)];
    await accepted(bundle({ entries: entries(v2) }));
    const forged = { ...instance.rekor2, ...new Instance().rekor2, publicKey: instance.rekor2.publicKey };
    await refused(/^its log entry does not hold/, bundle({ entries: entries({ ...v2, log: forged }) }));
  });
});

test("V17: a bundle whose signature is one of a message's digest is no image's", async () => {
  const { bundle: bytes } = Object(bundle());
  const { dsseEnvelope, ...rest } = JSON.parse(Buffer.from(bytes).toString("utf8"));
  const messageSignature = {
    messageDigest: { algorithm: "SHA2_256", digest: Buffer.from("1".repeat(64), "hex").toString("base64") },
    signature: dsseEnvelope.signatures[0].sig,
  };
  const other = Buffer.from(JSON.stringify({ ...rest, messageSignature }));
  await accepted({ format: "bundle", subject, digest: subject, bundle: bytes });
  assert.throws(() => signedContent({ format: "bundle", subject, digest: subject, bundle: other }), {
    code: "SIGNATURE_INVALID",
    message: /it has no envelope/,
  });
});

describe("V15: with a trusted root, a key's signature is in a log of it", () => {
  const own = pair();
  const other = pair();
  const keys = new KeySigner([verificationKey(pemOf(own.publicKey))]);
  const { tlogs } = Object(instance.document());

  async function verdictOf(entries: (signed: ReturnType<typeof signedStatement>) => readonly object[], by = own) {
    const signed = signedStatement(subject, by);
    const candidate = {
      format: "bundle",
      subject,
      digest: subject,
      bundle: bundleWith(signed, { entries: entries(signed) }),
    } as const;
    const signer = new LoggedKeySigner(keys, await rootOf(instance.document({ tlogs })));
    try {
      return await signer.verify(signedContent(candidate));
    } catch (error) {
      return failureOf(error).message;
    }
  }

  test("an entry of either version, without any timestamp", async () => {
    const key = keys.keyOf(signedContent(bundleOf(own))).fingerprint;
    assert.deepEqual(await verdictOf((signed) => [logEntry(withKey(signed, own), v1)]), { key, ...logged });
    assert.deepEqual(await verdictOf((signed) => [logEntry(withKey(signed, own), v2)]), { key });
  });

  test("not without, nor with an entry of another key, or with a certificate", async () => {
    assert.match(String(await verdictOf(() => [])), /^it is in no log/);
    assert.match(
      String(await verdictOf((signed) => [logEntry(withKey(signed, other), v1)])),
      /^its log entry is about another key$/,
    );
    const certified = (signed: ReturnType<typeof signedStatement>) => ({
      ...signed,
      by: instance.signer({ pair: own }),
    });
    assert.match(
      String(await verdictOf((signed) => [logEntry(certified(signed), v1)])),
      /^its log entry is about another key$/,
    );
    assert.match(
      String(await verdictOf((signed) => [logEntry(withKey(signed, other), v1)], other)),
      /^another key made it$/,
    );
  });

  function withKey(signed: ReturnType<typeof signedStatement>, { publicKey }: typeof own) {
    return { ...signed, by: { publicKey } };
  }

  function bundleOf(by: typeof own): SignatureCandidate {
    return { format: "bundle", subject, digest: subject, bundle: bundleWith(signedStatement(subject, by), {}) };
  }
});
