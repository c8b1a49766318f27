import { dialectRules } from "./cases-dialects.ts";
import { hardlinkRules } from "./cases-hardlinks.ts";
import { metadataRules } from "./cases-metadata.ts";
import { replacementRules } from "./cases-replacement.ts";
import { archiveRules } from "./cases-streams.ts";
import { whiteoutRules } from "./cases-whiteouts.ts";
import type { LayerRule } from "./rule.ts";

/** Every rule that speaks of archives and trees. */
export const layerRules: readonly LayerRule[] = [
  ...whiteoutRules,
  ...replacementRules,
  ...hardlinkRules,
  ...metadataRules,
  ...archiveRules,
  ...dialectRules,
];
