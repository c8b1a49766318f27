import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPublicKey, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isOciUnpackError } from "../../../src/base/errors.ts";
import { resolve } from "../../../src/look/resolve.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import type { SignerIdentity } from "../../../src/trust/options.ts";
import { simpleSigningType } from "../../../src/trust/simple-signing.ts";
import { type DockerRegistry, dockerRegistry } from "../../support/docker-registry.ts";
import { image } from "../../support/image.ts";
import { push } from "../../support/push.ts";
import { type Scratch, scratch } from "../../support/scratch.ts";
import { file, tar } from "../../support/tar-builder.ts";
import { skipWithout } from "../../support/tools.ts";
import { payloadOf, pemOf } from "../signing.ts";
import {
  annotationsOf,
  authorityInRoot,
  type Certificate,
  certificatePem,
  extension,
  Instance,
  logEntry,
  minutes,
  named,
  namesExtension,
  pair,
  type SignerChanges,
  usual,
} from "./instance.ts";

// Signatures with certificates of an own authority, with entries of an own log: our verdict is that of Debian's cosign. What
// cosign signs with such a certificate is verified here, too.

const platform = "linux/amd64";
const instance = new Instance();

describe("certificates, as cosign judges them", { skip: skipWithout("docker-registry", "cosign") }, () => {
  let place: Scratch;
  let registry: DockerRegistry;
  const path = (name: string) => join(place.directory, name);

  function cosign(...args: readonly string[]) {
    const { PATH } = process.env;
    const env = {
      PATH,
      HOME: place.directory,
      TMPDIR: place.directory,
      COSIGN_PASSWORD: "",
      COSIGN_YES: "true",
      SIGSTORE_ROOT_FILE: path("authorities.pem"),
      SIGSTORE_REKOR_PUBLIC_KEY: path("rekor.pub"),
      SIGSTORE_CT_LOG_PUBLIC_KEY_FILE: path("ct.pub"),
      SIGSTORE_TSA_CERTIFICATE_FILE: path("timestamps.pem"),
    };
    return spawnSync("cosign", args, { cwd: place.directory, encoding: "utf8", env });
  }

  before(async () => {
    place = await scratch();
    registry = await dockerRegistry();
    const pems = (...certificates: readonly Certificate[]) => certificates.map(certificatePem).join("");
    writeFileSync(path("authorities.pem"), pems(instance.intermediate, instance.root));
    writeFileSync(path("timestamps.pem"), pems(instance.timestamps, instance.timestampRoot));
    writeFileSync(path("rekor.pub"), pemOf(instance.rekor.publicKey));
    writeFileSync(path("ct.pub"), pemOf(instance.certificateLog.publicKey));
    writeFileSync(path("root.json"), JSON.stringify(instance.document()));
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  async function pushed(repository: string) {
    const one = image([tar(file("etc/name", repository))]);
    await push(registry.host, repository, "latest", one);
    const { digest } = one.manifest.descriptor;
    return { digest, name: `${registry.host}/${repository}@${digest}` };
  }

  async function ours(name: string, identity: SignerIdentity, root = "root.json"): Promise<string> {
    try {
      await resolve(name, { platform, trust: { identities: [identity], trustedRoot: path(root) } });
      return "verified";
    } catch (error) {
      if (isOciUnpackError(error)) return `${error.code}: ${error.message}`;
      throw error;
    }
  }

  const theirs = (name: string, { identity = "", issuer = "" }: SignerIdentity, ...more: readonly string[]) =>
    cosign(
      ...["verify", "--offline", "--allow-insecure-registry", "--certificate-identity", identity],
      ...["--certificate-oidc-issuer", issuer, ...more, name],
    );

  /** How a signature is made that is as usual in all else. */
  interface Making {
    readonly signer?: SignerChanges;
    readonly identity?: SignerIdentity;
    readonly entry?: (parts: Parameters<typeof logEntry>[0]) => Parameters<typeof logEntry>[0];
    readonly at?: Date;
    readonly forged?: boolean;
    readonly isUnlogged?: boolean;
  }

  const other = instance.signer();
  const makings: Readonly<Record<string, readonly [verdict: "verified" | "refused", Making]>> = {
    "as usual": ["verified", {}],
    "of an e-mail address": [
      "verified",
      {
        signer: { extensions: { names: namesExtension(named.email("who@a.example")) } },
        identity: { ...usual, identity: "who@a.example" },
      },
    ],
    "of another identity": ["refused", { identity: { ...usual, identity: `${usual.identity}2` } }],
    "for whom another vouches": ["refused", { identity: { ...usual, issuer: "https://other.example" } }],
    "of another authority": ["refused", { signer: { issuer: new Instance().intermediate } }],
    "for something else than code": [
      "refused",
      { signer: { extensions: { purpose: extension("2.5.29.37", Buffer.from("300a06082b06010505070301", "hex")) } } },
    ],
    "in no log of certificates": ["refused", { signer: { certificateLog: null } }],
    "in another log of certificates": ["refused", { signer: { certificateLog: new Instance().certificateLog } }],
    "that had expired": ["refused", { at: minutes(30) }],
    "that was not valid yet": ["refused", { at: minutes(-30) }],
    "in no log": ["refused", { isUnlogged: true }],
    "in another log": ["refused", { forged: true }],
    "with the entry of another certificate": ["refused", { entry: (parts) => ({ ...parts, by: other }) }],
    "with the entry of another signature": [
      "refused",
      { entry: (parts) => ({ ...parts, signature: sign("sha256", parts.data, pair().privateKey) }) },
    ],
  };

  for (const [index, [title, [expected, making]]] of Object.entries(makings).entries()) {
    test(`a signature ${title} is ${expected}, by cosign too`, async () => {
      const { digest, name } = await pushed(`made-${index}`);
      const signer = instance.signer(making.signer);
      const payload = Buffer.from(JSON.stringify(payloadOf(digest)));
      const signature = sign("sha256", payload, signer.pair.privateKey);
      const parts = { data: payload, payload, signature, by: signer };
      const log = making.forged === true ? new Instance().rekor : instance.rekor;
      const entry = logEntry(making.entry?.(parts) ?? parts, { kind: "hashedrekord", log, at: making.at });
      const annotations = annotationsOf(signature, {
        certificate: signer,
        ...(making.isUnlogged !== true && { entry }),
      });
      const size = payload.length;
      const descriptor = { mediaType: simpleSigningType, digest: digestOf(payload), size, annotations };
      const signatures = image([], { layers: [{ descriptor, bytes: payload }] });
      await push(registry.host, `made-${index}`, `${digest.replace(":", "-")}.sig`, signatures);

      const identity = making.identity ?? usual;
      const { status, stderr } = theirs(name, identity);
      const own = await ours(name, identity);
      assert.deepEqual(
        [status === 0 ? "verified" : "refused", own === "verified" ? own : "refused"],
        [expected, expected],
        `${stderr}\n${own}`,
      );
    });
  }

  test("what cosign signs with such a certificate and its chain counts, while it is valid", async () => {
    const { name } = await pushed("by-cosign");
    assert.equal(cosign("generate-key-pair", "--output-key-prefix", "own").status, 0);
    const publicKey = createPublicKey(readFileSync(path("own.pub")));
    const valid = { from: minutes(-5, new Date()), until: minutes(600, new Date()) };
    const certified = instance.signer({ pair: { ...pair(), publicKey }, ...valid });
    writeFileSync(path("own.pem"), certificatePem(certified));
    writeFileSync(path("chain.pem"), certificatePem(instance.intermediate) + certificatePem(instance.root));
    const authorities = [authorityInRoot([instance.root])];
    const timeless = { tlogs: [], timestampAuthorities: [], certificateAuthorities: authorities };
    writeFileSync(path("timeless.json"), JSON.stringify(instance.document(timeless)));

    const { status, stderr } = cosign(
      ...["sign", "--key", "own.key", "--certificate", "own.pem", "--certificate-chain", "chain.pem"],
      ...["--tlog-upload=false", "--allow-insecure-registry", name],
    );
    assert.equal(status, 0, stderr);
    for (const identity of [usual, { ...usual, identity: "another" }]) {
      const expected = identity === usual;
      assert.equal(theirs(name, identity, "--insecure-ignore-tlog").status === 0, expected);
      assert.equal((await ours(name, identity, "timeless.json")) === "verified", expected);
    }
    assert.match(await ours(name, usual), /nobody in the trusted root says when it was signed/);
  });
});
