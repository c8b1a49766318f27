import { randomBytes } from "node:crypto";
import { closeSync, openSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { MemoryBudget } from "../base/memory-budget.ts";
import { ContentFile } from "../blob/content-file.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { applyEntries, Reporter } from "../worker/apply-entries.ts";
import { RingReader } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import type { ArtifactJob } from "./artifact-job.ts";
import { PlainFiles } from "./plain-files.ts";
import { wantedEntries } from "./wanted-entries.ts";

/**
 * As `makeFiles`, by what Node has on every system. Archives are merged in memory first: so it is known what is a
 * symlink before anything is made, and symlinks are made last.
 */
export function makePlainFiles(job: ArtifactJob): void {
  tell({ type: "confined", status: confineFromFiles(job.sandbox) });
  const reporter = new Reporter(tell);
  const path = join(job.staging, `.contents-${randomBytes(6).toString("hex")}`);
  const file = openSync(path, "wx+", 0o600);
  try {
    unlinkSync(path);
    const contents = new ContentFile(file, job.staging);
    const tree = mergedTree(job, contents, reporter);
    new PlainFiles(job.staging, contents, reporter).write(tree.root);
  } finally {
    closeSync(file);
    reporter.close();
  }
}

function mergedTree(job: ArtifactJob, contents: ContentFile, reporter: Reporter): MergedTree {
  const tree = new MergedTree(job.settings, reporter, { memory: new MemoryBudget(job.settings.limits) });
  const input = new RingReader(job.input, () => tell({ type: "space" }));
  for (const { number: layer, below } of job.layers) {
    const begin = () => {
      const merge = tree.beginLayer(layer, (_, body) => contents.append(body));
      return wantedEntries(merge, below, job.wanted);
    };
    applyEntries({ job, layer, input, counts: job.passesOn, reporter, begin });
  }
  contents.flush();
  return tree;
}
