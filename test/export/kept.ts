import type { ExportForm } from "../../src/base/option-words.ts";
import type { Item, Listing } from "../model/listing.ts";

// What is left of a tree in each form, written down apart from the code that makes it so. The page about sources and
// outputs says the same to users.

/** A tree as a form keeps it. */
export function kept(form: ExportForm, listing: Listing): Listing {
  return Object.fromEntries(Object.entries(listing).map(([path, item]) => [path, keptItem(form, path, item)]));
}

function keptItem(form: ExportForm, path: string, item: Item): Item {
  const xattrs = Object.entries(item.xattrs).filter(([name]) => keepsAttribute(form, path, name));
  return { ...item, mtime: keptTime(form, item.mtime), xattrs: Object.fromEntries(xattrs) };
}

function keepsAttribute(form: ExportForm, path: string, name: string): boolean {
  if (name.includes("=")) return false; // an archive has it, but only libarchive's readers understand it
  switch (form) {
    case "ext4":
      return name === "security.capability";
    case "squashfs":
      // What the root has is said on a command line.
      return /^(user|trusted|security)\./.test(name) && (path !== "." || /^[\w.:-]+$/.test(name));
    case "erofs":
    case "tar":
      return true;
  }
}

/** A time as listings have it: the fraction counts from the second down, before 1970 too. */
function keptTime(form: ExportForm, time: string): string {
  const [seconds = ""] = time.split(".");
  switch (form) {
    case "tar":
      return time;
    case "erofs":
      return Number(seconds) < 0 ? `${seconds}.000000000` : time;
    case "squashfs":
      return `${between(0, Number(seconds), 2 ** 32 - 1)}.000000000`;
    case "ext4":
      return `${between(-(2 ** 31), Number(seconds), 2 ** 31 - 1)}.000000000`;
  }
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
