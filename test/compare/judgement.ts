import { isDeepStrictEqual } from "node:util";
import type { Item, Listing } from "../model/listing.ts";
import type { Attempt } from "./contenders.ts";

/** How a tool did in one case. */
export type Verdict = "obeys" | "differs" | "refuses" | "accepts" | "not asked";

/** Rules about what no layer describes; in all others that is nobody's business. */
const aboutImplied = new Set(["T18", "T19", "M3"]);

/** Compares what came out with what the rule says: a tree, or an error. */
export function judged(rule: string, wanted: Listing | "refused", attempt: Attempt): Verdict {
  if (attempt === "not asked") return "not asked";
  if (wanted === "refused") return attempt === "refused" ? "obeys" : "accepts";
  if (attempt === "refused") return "refuses";
  if (attempt === "unreadable") return "differs";
  const relevant = aboutImplied.has(rule) ? wanted : withoutImplied(wanted);
  return isDeepStrictEqual(comparable(relevant, wanted), comparable(attempt, relevant)) ? "obeys" : "differs";
}

/** What a listing says of a directory that nobody described, apart from being one. */
function withoutImplied(listing: Listing): Listing {
  const described = ([path, item]: [string, Item]) => [path, isImplied(item) ? undescribed : item];
  return Object.fromEntries(Object.entries(listing).map(described));
}

const undescribed: Item = { type: "directory", mode: "", owner: "", mtime: "", xattrs: {} };

function isImplied({ type, mtime }: Item): boolean {
  return type === "directory" && mtime === "0.000000000";
}

/** Leaves out what the other side does not describe. */
function comparable(listing: Listing, other: Listing): Listing {
  const seen = ([path, item]: [string, Item]) => {
    const isDirectory = item.type === "directory";
    return [path, isDirectory && other[path]?.mode === undescribed.mode ? undescribed : item];
  };
  return Object.fromEntries(Object.entries(listing).map(seen));
}
