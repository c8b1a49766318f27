import assert from "node:assert/strict";
import { sign } from "node:crypto";
import { test } from "node:test";
import type { SignatureCandidate } from "../../../src/trust/candidate.ts";
import { claimedSigner } from "../../../src/trust/keyless/claims.ts";
import { isThorough } from "../../support/thorough.ts";
import { payloadOf } from "../signing.ts";
import * as der from "./der.ts";
import { annotationsOf, bundleWith, certificatePem, logEntry, signedStatement, usual } from "./instance.ts";
import { bundle, instance, subject, v1, v2, verdict } from "./keyless-candidates.ts";

// Whatever a stranger writes instead of what belongs to a signature, it is a verdict, and never another error.

const rounds = isThorough ? 300 : 100;

/** The same numbers each time (Numerical Recipes, "ranqd1"). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Changes one byte, leaves some out, or puts some twice. */
function mutated(bytes: Uint8Array, next: (below: number) => number): Buffer {
  const at = next(bytes.length);
  const length = 1 + next(8);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (next(3)) {
    case 0:
      return Buffer.concat([head, Buffer.from([next(256)]), tail.subarray(1)]);
    case 1:
      return Buffer.concat([head, tail.subarray(length)]);
    default:
      return Buffer.concat([head, tail.subarray(0, length), tail]);
  }
}

/** That it is refused with a reason, or says the same as before: some bytes mean nothing. */
async function judge(candidate: SignatureCandidate): Promise<boolean> {
  const root = instance.document();
  const found = await verdict(candidate, root);
  if (typeof found === "string") return false;
  assert.deepEqual([found.identity, found.issuer], [usual.identity, usual.issuer]);
  return true;
}

test("in the certificate, the entry or the timestamp of a bundle", async () => {
  const next = numbers(1);
  const counts = { refused: 0, accepted: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const signer = instance.signer();
    const signed = signedStatement(subject, signer);
    const stamp = instance.timestamp(signed.signature);
    const what = next(3);
    const bytes = bundleWith(
      what === 0 ? { ...signed, by: { ...signer, bytes: mutated(signer.bytes, next) } } : signed,
      {
        entries: [what === 1 ? mutatedEntry(logEntry(signed, v1), next) : logEntry(signed, v2)],
        timestamps: [what === 2 ? mutated(stamp, next) : stamp],
      },
    );
    const isAccepted = await judge({ format: "bundle", subject, digest: subject, bundle: bytes });
    counts[isAccepted ? "accepted" : "refused"] += 1;
  }
  assert.ok(counts.refused > (5 / 6) * rounds, JSON.stringify(counts));
});

function mutatedEntry(entry: object, next: (below: number) => number): object {
  const text = mutated(Buffer.from(JSON.stringify(entry)), next).toString("utf8");
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

test("in a bundle as it is written", async () => {
  const next = numbers(2);
  const { bundle: bytes } = Object(bundle());
  for (let round = 0; round < rounds; round += 1) {
    await judge({ format: "bundle", subject, digest: subject, bundle: mutated(bytes, next) });
  }
});

test("in the annotations of a simple signing", async () => {
  const next = numbers(3);
  const payload = Buffer.from(JSON.stringify(payloadOf(subject)));
  const signer = instance.signer();
  const signature = sign("sha256", payload, signer.pair.privateKey);
  const entry = logEntry(
    { data: payload, payload, signature, by: signer },
    { kind: "hashedrekord", log: instance.rekor },
  );
  const right = annotationsOf(signature, {
    certificate: signer,
    chain: [instance.intermediate, instance.root],
    entry,
    timestamp: instance.timestamp(signature),
  });
  const names = Object.keys(right);
  for (let round = 0; round < rounds; round += 1) {
    const name = names[next(names.length)] ?? "";
    const annotations = { ...right, [name]: mutated(Buffer.from(right[name] ?? ""), next).toString("utf8") };
    await judge({ format: "simple-signing", subject, digest: subject, payload, annotations });
  }
});

test("an authority whose key is none; times that are none", async () => {
  const odd = der.sequence(der.sequence(der.oid("1.2.3.4")), der.bits(Buffer.from([1])));
  const { bytes } = instance.root;
  const own = instance.root.pair.publicKey.export({ type: "spki", format: "der" });
  const keyless = Buffer.from(bytes.toString("hex").replace(own.toString("hex"), odd.toString("hex")), "hex");
  const payload = Buffer.from(JSON.stringify(payloadOf(subject)));
  const signer = instance.signer();
  const signature = sign("sha256", payload, signer.pair.privateKey);
  const annotations = {
    ...annotationsOf(signature, { certificate: signer }),
    "dev.sigstore.cosign/chain": certificatePem({ bytes: keyless }),
  };
  const candidate = { format: "simple-signing", subject, digest: subject, payload, annotations } as const;
  assert.equal(await judge(candidate), false);
  const timeless = bundle({ entries: (signed) => [{ ...logEntry(signed, v1), integratedTime: "never" }] });
  assert.equal(await judge(timeless), false);
  assert.deepEqual(claimedSigner(timeless), usual);
});
