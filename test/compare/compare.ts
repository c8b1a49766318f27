import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expectedListing } from "../rules/expected.ts";
import { layerRules } from "../rules/layer-rules.ts";
import type { LayerRule } from "../rules/rule.ts";
import { image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { startRegistry } from "../support/registry-double.ts";
import { removeTree } from "../support/remove-tree.ts";
import { contenders, type Subject } from "./contenders.ts";
import { judged, type Verdict } from "./judgement.ts";
import { page, type Row } from "./page.ts";
import { changesElsewhere, inThrowAwayRoot } from "./throw-away.ts";

// npm run compare
//
// Has every tool unpack the layers of every rule, in a root that may be ruined, and writes docs/conformance.md. A tool
// that changes files elsewhere is named on standard error, and not on the page: that is for its authors to hear first.

const work = "/compare/work";

if (process.argv[2] === "inside") console.log(JSON.stringify(await rows()));
else await writePage();

async function writePage(): Promise<void> {
  const output = await inThrowAwayRoot(process.execPath, [fileURLToPath(import.meta.url), "inside"]);
  const tools = contenders.map((contender) => ({ name: contender.name, version: contender.version() }));
  const path = fileURLToPath(new URL("../../../docs/conformance.md", import.meta.url));
  writeFileSync(path, page(tools, JSON.parse(output) as Row[]));
  console.error(`wrote ${path}`);
}

async function rows(): Promise<Row[]> {
  const all: Row[] = [];
  for (const rule of layerRules) {
    if (rule.options !== undefined) continue; // other tools have other options
    all.push({ rule: rule.rule, claim: rule.claim, verdicts: await verdictsOn(rule) });
    console.error(`${rule.rule.padEnd(4)} ${all.at(-1)?.verdicts.join(", ")}`);
  }
  return all;
}

async function verdictsOn(rule: LayerRule): Promise<Verdict[]> {
  const { outcome, notText } = rule;
  const wanted = typeof outcome === "string" ? "refused" : { ...expectedListing(outcome), ...notText };
  const verdicts: Verdict[] = [];
  for (const contender of contenders) {
    await using subject = await prepared(rule);
    const before = new Set(changesElsewhere());
    verdicts.push(judged(rule.rule, wanted, await contender.unpack(subject)));
    const escaped = changesElsewhere().filter((path) => !before.has(path));
    if (escaped.length > 0) console.error(`${rule.rule}: ${contender.name} changed ${escaped.join(", ")}`);
  }
  return verdicts;
}

async function prepared({ rule, layers }: LayerRule): Promise<Subject & AsyncDisposable> {
  mkdirSync(`${work}/tool`, { recursive: true });
  const served = image(layers);
  const registry = await startRegistry();
  await writeImageLayout(`${work}/layout`, [{ tag: "latest", images: [served] }]);
  return {
    layout: `${work}/layout`,
    archives: rule.startsWith("W") ? [] : layers,
    reference: stored(registry, "rule/image", served),
    work: `${work}/tool`,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      removeTree(work);
    },
  };
}
