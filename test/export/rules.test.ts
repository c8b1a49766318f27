import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type ExportForm, exportForms } from "../../src/base/option-words.ts";
import { fileSystemTools } from "../../src/export/file-system-tool.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { Listing } from "../model/listing.ts";
import { expectedListing } from "../rules/expected.ts";
import { layerRules } from "../rules/layer-rules.ts";
import { readTree } from "../rules/real-tree.ts";
import type { LayerRule } from "../rules/rule.ts";
import { mounted } from "../support/mounted.ts";
import { removeTree } from "../support/remove-tree.ts";
import { shareOf } from "../support/thorough.ts";
import { skipUnlessMounting, type Tool } from "../support/tools.ts";
import { flattenedFor } from "./flattened.ts";
import { kept } from "./kept.ts";

// Every rule about layers, once more: whatever the layers become, GNU tar, or the kernel, must show what the rule says of
// a directory.

const tools: Readonly<Record<ExportForm, Tool>> = {
  tar: "tar",
  erofs: "mkfs.erofs",
  squashfs: "sqfstar",
  ext4: "mke2fs",
};
const rulesOfTrees = layerRules.filter(({ outcome }) => typeof outcome !== "string");

/** GNU tar names files in one piece, as most programs do, and a piece has its limit. */
const hasLongPath = ({ outcome }: LayerRule) => Object.keys(outcome).some((path) => path.length > 4095);

for (const [number, form] of exportForms.entries()) {
  const skip = skipUnlessMounting(tools[form]);
  describe(`as ${form}`, { skip }, () => {
    const place = mkdtempSync(join(tmpdir(), `oci-unpack-${form}-rules-`));
    const rules = shareOf(5, rulesOfTrees, number).filter((rule) => form !== "tar" || !hasLongPath(rule));
    const found = new Map<LayerRule, Listing | Error>();
    before(async () => {
      for (const [index, rule] of rules.entries()) {
        found.set(
          rule,
          attempted(() => made(form, rule, join(place, String(index)))),
        );
      }
      if (form === "tar") return;
      const good = [...found].flatMap(([rule, result]) => (result instanceof Error ? [] : [rule]));
      const sources = good.map((rule) => join(place, String(rules.indexOf(rule))));
      const listings = await mounted(sources.map((source) => ({ type: form, source, options: ["loop", "ro"] })));
      for (const [index, rule] of good.entries()) found.set(rule, withoutLostAndFound(listings[index] ?? {}));
    });
    after(() => removeTree(place));

    if (form === "tar") {
      test("GNU tar does not make paths longer than PATH_MAX, which is said", () => {
        const rule = rulesOfTrees.find(hasLongPath) as LayerRule;
        assert.throws(() => made("tar", rule, join(place, "long")), /Cannot open: File name too long/);
      });
    }

    for (const rule of rules) {
      test(`${rule.rule}: ${rule.claim}`, { skip: rule.skip ?? false }, () => {
        const result = found.get(rule);
        if (result instanceof Error) throw result;
        assert.deepEqual(result, kept(form, wanted(rule)));
      });
    }
  });
}

function attempted(work: () => Listing): Listing | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function wanted({ outcome, notText }: LayerRule): Listing {
  if (typeof outcome === "string") throw new TypeError("such a rule is about an error");
  return { ...expectedListing(outcome), ...notText };
}

/** Makes what a rule's layers become, and looks into it where it is a directory already. */
function made(form: ExportForm, { layers, options }: LayerRule, path: string): Listing {
  const { archive, facts } = flattenedFor(form, layers, options);
  if (form === "tar") return extracted(archive, path);
  const tool = fileSystemTools[form];
  const plan = { path, facts, digest: digestOf(archive), sourceDateEpoch: 0, sizeBytes: undefined };
  const env = { ...process.env, ...tool.env(plan) };
  execFileSync(tool.command, [...tool.args(plan)], { input: archive, env, stdio: ["pipe", "pipe", "pipe"] });
  return {};
}

function extracted(archive: Uint8Array, root: string): Listing {
  mkdirSync(root);
  const args = ["-x", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-C", root];
  execFileSync("tar", args, { input: archive, stdio: ["pipe", "pipe", "pipe"] });
  return readTree(root);
}

function withoutLostAndFound({ "lost+found": _lostAndFound, ...listing }: Listing): Listing {
  return listing;
}
