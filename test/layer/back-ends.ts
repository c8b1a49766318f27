import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OverlayKind } from "../../src/base/option-words.ts";
import type { Listing } from "../model/listing.ts";
import { mounted } from "../overlay/mounted.ts";
import { stacked } from "../overlay/stacked.ts";
import { type Applied, applied } from "../rules/apply.ts";
import { type ExpectedTree, expectedListing, is } from "../rules/expected.ts";
import { type LayerRule, strictOutcome } from "../rules/rule.ts";
import { removeTree } from "../support/remove-tree.ts";
import { skipUnlessOverlays, skipUnlessRoot } from "../support/tools.ts";
import { merged } from "../tree/merged.ts";

export type BackEndName = "on a disk" | "in memory" | "as an overlay of root's" | "as an overlay of any user's";

/** What holds a tree that layers are applied to. */
interface TestedBackEnd {
  readonly skip: false | string;
  /** Applies the layers of each rule. */
  results(rules: readonly LayerRule[], strict: boolean): Promise<readonly Applied[]>;
}

export const backEnds: Readonly<Record<BackEndName, TestedBackEnd>> = {
  "on a disk": {
    skip: skipUnlessRoot(),
    results: async (rules, strict) => rules.map(({ layers, options = {} }) => applied(layers, { options, strict })),
  },
  "in memory": {
    skip: false,
    results: async (rules, strict) => rules.map(({ layers, options = {} }) => merged(layers, { options, strict })),
  },
  "as an overlay of root's": {
    skip: skipUnlessOverlays(),
    results: (rules, strict) => shownByOverlays(rules, strict, "privileged"),
  },
  "as an overlay of any user's": {
    skip: skipUnlessOverlays(),
    results: (rules, strict) => shownByOverlays(rules, strict, "userxattr"),
  },
};

/** The layers lie in directories of their own, and what counts is what the kernel's overlayfs shows of them together. */
async function shownByOverlays(
  rules: readonly LayerRule[],
  strict: boolean,
  kind: OverlayKind,
): Promise<readonly Applied[]> {
  const place = mkdtempSync(join(tmpdir(), "oci-unpack-overlay-rules-"));
  try {
    const made = rules.map(({ layers, options = {} }, index) =>
      stacked(layers, join(place, String(index)), kind, { ...options, strict }),
    );
    const good = made.filter(({ failure }) => failure === undefined);
    const listings = await mounted(good.map(({ directories }) => ({ kind, directories })));
    return made.map(({ directories: _directories, failure, ...notes }, index) => {
      const outcome = failure ?? listings[good.indexOf(made[index] as (typeof made)[number])];
      if (outcome === undefined) throw new TypeError("an overlay was not mounted");
      return { outcome, ...notes };
    });
  } finally {
    removeTree(place);
  }
}

/** What a back end makes of the layers of a rule. */
export interface Expected extends Pick<LayerRule, "warnings" | "skipped"> {
  readonly outcome: Applied["outcome"];
}

/** A case of which a back end makes something else than the rule says. */
interface Exception {
  readonly backEnds: readonly BackEndName[];
  readonly rule: string;
  /** How the claim begins; all cases of the rule where it is absent. */
  readonly claim?: string;
  readonly reason: string;
  /** What it makes instead; absent where the rule is none for it. */
  readonly instead?: (rule: LayerRule, backEnd: BackEndName) => LayerRule;
  /** Whether files with several names are so many files. */
  readonly hasCopies?: true;
}

const overlays = ["as an overlay of root's", "as an overlay of any user's"] as const;

/** A hard link to a file of a lower layer: the two layers' directories share no files, so that it is a copy, and said to be. */
function copied(rule: string, claim: string): Exception {
  return {
    backEnds: overlays,
    rule,
    claim,
    reason: "a link to a file of a lower layer is a copy, since layers stand by themselves, and this is noted",
    instead: (each) => ({ ...each, warnings: [...(each.warnings ?? []), "LINK_COPIED"] }),
    hasCopies: true,
  };
}

export const exceptions: readonly Exception[] = [
  {
    backEnds: ["in memory"],
    rule: "M9",
    reason: "a file system refuses the attribute; memory keeps it",
  },
  {
    backEnds: ["in memory"],
    rule: "M11",
    reason: "the kernel refuses the attribute; memory keeps it",
  },
  copied("H1", "a hard link to a lower layer's file"),
  copied("H3", "a link to a lower file that its layer replaces"),
  copied("H3", "a link to a lower file that its layer hides afterwards"),
  copied("H9", "a link of a file to itself leaves"),
  copied("H9", "a link of a file to itself through a symlink"),
  copied("T1", "a symlink, a hard link or a fifo replaces a directory"),
  copied("T4", "a symlink to a directory is kept on request"),
  {
    backEnds: overlays,
    rule: "T29",
    claim: "a device 0:0 is made where devices are asked for",
    reason: "an overlay would take the device for a whiteout",
    instead: (each) => ({ ...each, outcome: "ENTRY_REFUSED" }),
  },
  {
    backEnds: overlays,
    rule: "M8",
    reason:
      "the layer has attributes of this kind of overlay escaped: it shows them as the image states them, and does not obey",
    instead: (each, backEnd) => ({ ...each, outcome: escapedAttributes[backEnd] ?? each.outcome }),
  },
];

const escapedAttributes: Readonly<Partial<Record<BackEndName, ExpectedTree>>> = {
  "as an overlay of root's": {
    d: is.directory({ xattrs: { "trusted.overlay.opaque": "y" } }),
    a: is.file("1", { xattrs: { "trusted.overlay.metacopy": "" } }),
  },
  "as an overlay of any user's": {
    d: is.directory({ xattrs: { "user.overlay.opaque": "y" } }),
    a: is.file("1", { xattrs: { "user.overlay.redirect": "/etc/shadow" } }),
  },
};

/** What a back end must make of a rule's layers; `undefined` where the rule is none for it. */
export function expectedOf(rule: LayerRule, backEnd: BackEndName, strict: boolean): Expected | undefined {
  const exception = exceptions.find((each) => isMeant(each, rule, backEnd));
  if (exception !== undefined && exception.instead === undefined) return undefined;
  const meant = exception?.instead?.(rule, backEnd) ?? rule;
  // That a link is a copy is noted, and no repair.
  const outcome = strict ? strictOutcome({ ...meant, warnings: rule.warnings ?? [] }) : meant.outcome;
  if (typeof outcome === "string") return { outcome };
  const listing = { ...expectedListing(outcome), ...meant.notText };
  const { warnings = [], skipped = [] } = meant;
  return { outcome: exception?.hasCopies ? withoutLinks(listing) : listing, warnings, skipped };
}

export function isMeant({ backEnds: names, rule, claim = "" }: Exception, each: LayerRule, backEnd: BackEndName) {
  return names.includes(backEnd) && each.rule === rule && each.claim.startsWith(claim);
}

/** A tree in which files with several names are copies. */
function withoutLinks(listing: Listing): Listing {
  return Object.fromEntries(
    Object.entries(listing).map(([path, { sameFileAs: _sameFileAs, ...item }]) => [path, item]),
  );
}
