import { type DifferentPart, differentParts } from "../../src/base/option-words.ts";
import type { Item, Listing } from "../model/listing.ts";

/** A difference, as far as two listings tell it. */
export interface ExpectedDifference {
  readonly kind: "added" | "removed" | "changed";
  readonly path: string;
  readonly parts?: readonly DifferentPart[];
}

/** How two trees differ, found by asking of every path of either what the other has there. */
export function expectedDifferences(first: Listing, second: Listing): readonly ExpectedDifference[] {
  const paths = [...new Set([...Object.keys(first), ...Object.keys(second)])].sort(inTreeOrder);
  return paths
    .filter((path) => !ancestors(path).some((each) => hasOtherType(first[each], second[each])))
    .flatMap((path): readonly ExpectedDifference[] => {
      const [one, other] = [first[path], second[path]];
      if (one === undefined) return [{ kind: "added", path }];
      if (other === undefined) return [{ kind: "removed", path }];
      const parts = partsOf(path, first, second);
      return parts.length === 0 ? [] : [{ kind: "changed", path, parts }];
    });
}

function partsOf(path: string, first: Listing, second: Listing): readonly DifferentPart[] {
  const [one, other] = [first[path] as Item, second[path] as Item];
  if (one.type !== other.type) return ["type"];
  const both = Object.keys(first).filter((each) => second[each] !== undefined);
  const names = (listing: Listing) => both.filter((each) => identity(each, listing) === identity(path, listing));
  const children = (listing: Listing) => Object.keys(listing).filter((each) => ancestors(each)[0] === path);
  const same: Readonly<Record<DifferentPart, boolean>> = {
    type: true,
    mode: one.mode === other.mode,
    owner: one.owner === other.owner,
    time: one.mtime === other.mtime || children(first).sort().join("\n") !== children(second).sort().join("\n"),
    size: sizeOf(one) === sizeOf(other),
    content: one.content === other.content,
    target: one.target === other.target,
    device: one.device === other.device,
    xattrs: JSON.stringify(one.xattrs) === JSON.stringify(other.xattrs),
    links: names(first).join("\n") === names(second).join("\n"),
  };
  return differentParts.filter((part) => !same[part]);
}

function identity(path: string, listing: Listing): string | undefined {
  return listing[path]?.sameFileAs ?? path;
}

/** What the listing tells of a content: itself, or how long it is. */
function sizeOf({ content = "" }: Item): number {
  const [, size] = /^(\d+) bytes, sha256 /.exec(content) ?? [];
  return size === undefined ? content.length : Number(size);
}

function hasOtherType(one: Item | undefined, other: Item | undefined): boolean {
  return one !== undefined && other !== undefined && one.type !== other.type;
}

/** The paths of the directories above, the nearest first. */
function ancestors(path: string): readonly string[] {
  if (path === ".") return [];
  const names = path.split("/");
  return names.map((_, index) => names.slice(0, names.length - 1 - index).join("/") || ".");
}

/** Each directory before what is in it, names in the order of their bytes. */
function inTreeOrder(one: string, other: string): number {
  const [names, others] = [one, other].map((path) => (path === "." ? [] : path.split("/"))) as [string[], string[]];
  const index = names.findIndex((name, at) => name !== others[at]);
  if (index < 0) return names.length - others.length;
  const [name = "", otherName] = [names[index], others[index]];
  return otherName === undefined || name > otherName ? 1 : -1;
}
