import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isOciUnpackError } from "../../../src/base/errors.ts";
import { resolve } from "../../../src/look/resolve.ts";
import { outcomeOf } from "../../support/command.ts";
import { third } from "../../support/thorough.ts";
import { skipWithout } from "../../support/tools.ts";
import { type PolicyCase, type PolicyVerdict, policyCases } from "./cases.ts";
import { certifiedCases } from "./certified-cases.ts";
import { type PolicyStage, setPolicyStage } from "./stage.ts";

// Each case of the table twice: what is decided here, and what skopeo decides about the same image with the same file (a half
// of them, unless everything is tried).

const cases = [...policyCases, ...certifiedCases];
let stage: PolicyStage;

before(async () => {
  stage = await setPolicyStage();
  await mkdir(join(stage.place, "registries.d"));
  await mkdir(join(stage.place, "copies"));
  const attached = "default-docker:\n  use-sigstore-attachments: true\n";
  await writeFile(join(stage.place, "registries.d/default.yaml"), attached);
});
after(() => stage[Symbol.asyncDispose]());

/** Writes the policy of a case; gives its path. */
async function written({ policy }: PolicyCase, name: string): Promise<string> {
  const path = join(stage.place, `${name}.json`);
  await writeFile(path, stage.filled(typeof policy === "string" ? policy : JSON.stringify(policy)));
  return path;
}

async function decided(image: string, policy: string): Promise<PolicyVerdict> {
  try {
    await resolve(image, { platform: "linux/amd64", trust: { policy } });
    return "accepted";
  } catch (error) {
    if (isOciUnpackError(error, "POLICY_REJECTED", "INVALID_OPTION")) return "rejected";
    throw error;
  }
}

async function decidedBySkopeo(image: string, policy: string, name: string): Promise<PolicyVerdict> {
  const places = ["--registries.d", join(stage.place, "registries.d"), "--tmpdir", stage.place];
  const of = ["--policy", policy, ...places, "--override-arch", "amd64"];
  const from = /^[a-z-]+:/.test(image) ? image : `docker://${image}`;
  const to = `dir:${join(stage.place, "copies", name)}`;
  const copy = ["copy", "--quiet", "--src-tls-verify=false", from, to];
  const { status, stderr } = await outcomeOf("skopeo", [...of, ...copy], { environment: { HOME: stage.place } });
  if (status === 0) return "accepted";
  assert.match(stderr, /Source image rejected|Error loading trust policy/);
  return "rejected";
}

describe("a policy decides as it is written", () => {
  for (const [number, one] of cases.entries()) {
    test(`${one.title}: ${one.verdict}`, async () => {
      assert.equal(await decided(stage.filled(one.image), await written(one, `own-${number}`)), one.verdict);
    });
  }
});

describe("and as skopeo decides", { skip: skipWithout("skopeo"), concurrency: 4 }, () => {
  for (const [number, one] of third([...cases.entries()])) {
    const other = one.unlikeSkopeo === undefined ? "" : `, unlike skopeo: ${one.unlikeSkopeo}`;
    test(`${one.title}: ${one.verdict}${other}`, async () => {
      const policy = await written(one, `theirs-${number}`);
      const theirs = await decidedBySkopeo(stage.filled(one.image), policy, `${number}`);
      assert.equal(theirs !== one.verdict, one.unlikeSkopeo !== undefined, theirs);
    });
  }
});
