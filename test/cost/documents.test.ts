import { test } from "node:test";
import { resolveUser } from "../../src/bundle/user.ts";
import { safeJson, safeText } from "../../src/cli/safe-text.ts";
import { Secrets } from "../../src/http/secrets.ts";
import { parseConfig } from "../../src/oci/config.ts";
import { parseDigest } from "../../src/oci/digest.ts";
import { parseDocument } from "../../src/oci/document.ts";
import { JsonValue } from "../../src/oci/json-value.ts";
import { mediaTypes } from "../../src/oci/media-type.ts";
import { parsePlatform } from "../../src/oci/platform.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { parseChallenges } from "../../src/registry/auth/challenge.ts";
import type { ByteString } from "../../src/tar/byte-string.ts";
import { selection } from "../../src/tree/selection.ts";
import { assertLinear, fourTimes, processorTime } from "./growth.ts";

/** Something to read, of which there may be much, and who reads it. */
interface Reading<CompressedInput> {
  readonly few: number;
  readonly make: (count: number) => CompressedInput;
  readonly read: (input: CompressedInput) => unknown;
}

const digest = `sha256:${"0".repeat(64)}`;
const descriptor = `{"mediaType":"${mediaTypes.ociManifest}","digest":"${digest}","size":1}`;

// A document has 4 MiB at most, so that keys which V8 hashes alike, of more than 16,383 characters, are too few to matter.
const json = (few: number, make: (count: number) => string): Reading<Uint8Array> => ({
  few,
  make: (count) => Buffer.from(make(count)),
  read: (bytes) => JsonValue.parse(bytes, "document", "INVALID_MANIFEST"),
});

const document = (few: number, make: (count: number) => string): Reading<Uint8Array> => ({
  few,
  make: (count) => Buffer.from(make(count)),
  read: (bytes) => parseDocument(bytes, { contentType: "" }),
});

const config = (few: number, make: (count: number) => string): Reading<Uint8Array> => ({
  few,
  make: (count) => Buffer.from(make(count)),
  read: parseConfig,
});

/** A grammar whose texts have a longest length looks at none of this, so that there may be much of it. */
const text = (few: number, make: (count: number) => string, read: (text: string) => unknown): Reading<string> => ({
  few,
  make,
  read,
});

const challenges = (few: number, make: (count: number) => string) => text(few, make, parseChallenges);

const readings: Readonly<Record<string, Reading<Uint8Array> | Reading<string>>> = {
  "keys of an object in JSON": json(20_000, (count) => `{${list(count, (index) => `"key-${index}":0`)}}`),
  "keys with escapes": json(5000, (count) => `{${list(count, (index) => `"\\u006b${index}":0`)}}`),
  "backslashes in a string of JSON": json(50_000, (count) => `["${"\\\\".repeat(count)}"]`),
  "quotes in a string of JSON": json(50_000, (count) => `["${'\\"'.repeat(count)}"]`),
  "backslashes in JSON that has no strings": json(50_000, (count) => "\\".repeat(count)),
  "empty objects in JSON": json(50_000, (count) => `[${list(count, () => "{}")}]`),
  "brackets that nothing closes": json(50_000, (count) => "[]".repeat(count)),
  "digits in JSON that ends too early": json(50_000, (count) => `[${"1".repeat(count)}`),
  "layers of a manifest": document(
    2000,
    (count) =>
      `{"schemaVersion":2,"mediaType":"${mediaTypes.ociManifest}","config":${descriptor},"layers":[${list(count, () => descriptor)}]}`,
  ),
  "manifests of an index": document(
    2000,
    (count) =>
      `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[${list(count, () => descriptor)}]}`,
  ),
  "annotations of an index": document(
    5000,
    (count) =>
      `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[],"annotations":{${list(count, (index) => `"key-${index}":"x"`)}}}`,
  ),
  "diffIDs of a configuration": config(
    2000,
    (count) =>
      `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[${list(count, () => `"${digest}"`)}]}}`,
  ),
  "labels and variables of a configuration": config(
    5000,
    (count) =>
      `{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]},"config":{"Env":[${list(count, (index) => `"A${index}=x"`)}],"Labels":{${list(count, (index) => `"key-${index}":"x"`)}}}}`,
  ),
  "characters of a digest": text(100, (count) => `${"a+".repeat(count / 2)}:${"-".repeat(count / 2)}!`, parseDigest),
  "characters of a reference": text(500, (count) => `${"a-".repeat(count / 2)}!`, parseReference),
  "names of a reference": text(500, (count) => `${"a/".repeat(count / 2)}!`, parseReference),
  "components of a host": text(500, (count) => `${"a.".repeat(count / 2)}!:1/a`, parseReference),
  "characters of a platform": text(
    100_000,
    (count) => `${"a".repeat(count)}/b`,
    (name) => parsePlatform(name),
  ),
  "challenges of a registry": challenges(5000, (count) => "Basic realm=x, ".repeat(count)),
  "parameters of a challenge": challenges(5000, (count) => `Bearer ${list(count, (index) => `a${index}="x"`)}`),
  "schemes without parameters": challenges(20_000, (count) => "a ".repeat(count)),
  "quotes that nothing closes": challenges(20_000, (count) => `a b="${'\\"'.repeat(count)}\\`),
  "quoted strings without a name": challenges(20_000, (count) => '"x" '.repeat(count)),
  "spaces in a challenge": challenges(50_000, (count) => `a${" ".repeat(count)}b${" ".repeat(count)}=`),
  "equals signs in a challenge": challenges(50_000, (count) => `a b${"=".repeat(count)} c`),
  "commas in a challenge": challenges(50_000, (count) => `a b${",".repeat(count)} c`),
  "secrets in what a registry says": text(5000, (count) => "password-1 ".repeat(count), redacted),
  "names of a path that a pattern with ** may match": text(500, (count) => "x/".repeat(count), matched),
  "characters of a name that a pattern with * may match": text(5000, (count) => "a".repeat(count), matched),
  "accounts of a container": text(
    5000,
    (count) => Array.from({ length: count }, (_, index) => `u${index}:x:${index}:${index}::/:`).join("\n"),
    (passwd) => resolveUser("nobody", passwd, passwd),
  ),
  "members of a group": text(
    5000,
    (count) => `g:x:1:${list(count, (index) => `u${index}`)}`,
    (group) => resolveUser("u", "u:x:1:1::/:", group),
  ),
  "groups of an account": text(
    5000,
    (count) => Array.from({ length: count }, (_, index) => `g${index}:x:${index}:u`).join("\n"),
    (group) => resolveUser("u", "u:x:1:1::/:", group),
  ),
  "characters that a terminal would obey": text(50_000, (count) => "\x1b".repeat(count), safeText),
  "the same in JSON": text(20_000, (count) => "\x9b".repeat(count), safeJson),
};

for (const [what, reading] of Object.entries(readings) as readonly [string, Reading<unknown>][]) {
  const { few, make, read } = reading;
  test(`${fourTimes(few)} ${what} are read in linear time`, () => {
    const made = new Map([few, fourTimes(few)].map((count) => [count, make(count)]));
    return assertLinear(few, (count) => processorTime(() => read(made.get(count))));
  });
}

function list(count: number, item: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => item(index)).join(",");
}

function redacted(said: string): string {
  const secrets = new Secrets();
  for (let index = 0; index < 50; index += 1) secrets.add(`password-${index}`);
  return secrets.redacted(said);
}

const patterns = selection({
  include: ["**/x/**/x/**/y", "**/**/**/z", "*a*a*a*a*b", "[!b]*[!b]*[!b]*c"],
  exclude: ["**/x/y/**/x/y"],
});

function matched(path: string): boolean {
  let here = patterns;
  for (const name of path.split("/")) here = here.below(name as ByteString);
  return here.isWanted;
}
