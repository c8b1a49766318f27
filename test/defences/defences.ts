import { limitDefences, readingDefences } from "./archives.ts";
import { artifactDefences } from "./artifacts.ts";
import type { Defence } from "./defence.ts";
import { documentDefences, sandboxDefences, verificationDefences } from "./images.ts";
import { inflaterDefences } from "./inflater.ts";
import { keylessDefences } from "./keyless.ts";
import { pathDefences, ruleDefences } from "./layers.ts";
import { networkDefences } from "./network.ts";
import { policyDefences } from "./policy.ts";
import { sourceDefences } from "./sources.ts";
import { streamDefences } from "./streams.ts";
import { syncDefences } from "./syncs.ts";
import { tableDefences } from "./tables.ts";
import { treeDefences } from "./trees.ts";
import { trustDefences } from "./trust.ts";

/** Every defence that docs/safety.md lists. */
export const defences: readonly Defence[] = [
  ...pathDefences,
  ...limitDefences,
  ...treeDefences,
  ...readingDefences,
  ...inflaterDefences,
  ...streamDefences,
  ...documentDefences,
  ...networkDefences,
  ...verificationDefences,
  ...sandboxDefences,
  ...trustDefences,
  ...keylessDefences,
  ...policyDefences,
  ...ruleDefences,
  ...sourceDefences,
  ...artifactDefences,
  ...tableDefences,
  ...syncDefences,
];
