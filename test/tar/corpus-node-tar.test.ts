import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { textOf } from "../../src/tar/byte-string.ts";
import type { EntryType } from "../../src/tar/entry.ts";
import { decoded } from "../support/decode.ts";
import { corpus, corpusArchive } from "../support/tar-corpus.ts";

/** Where this decoder and node-tar part, and why. Archives that are not here decode to the same entries. */
const deviations: Readonly<Record<string, string>> = {
  "bad-cksum.tar": "a header whose checksum is wrong ends the archive; node-tar looks for the next one",
  "links-invalid.tar":
    "links without a target are for the caller to refuse; node-tar drops them, and files that have a target",
  "path-missing.tar": "an entry without a name is for the caller to refuse; node-tar drops it",
};

const archives = corpus("node-tar/archives");

test("node-tar's corpus decodes to the entries that node-tar expects", { skip: archives.skip }, async (t) => {
  for (const name of archives.names.filter((name) => deviations[name] === undefined)) {
    for (const mode of ["", "--strict"]) {
      await t.test(`${name}${mode}`, () => assert.deepEqual(found(name), expected(name, mode)));
    }
  }
});

test("each deviation from node-tar is still one", { skip: archives.skip }, () => {
  for (const name of Object.keys(deviations)) assert.notDeepEqual(found(name), expected(name, ""), name);
});

interface Facts {
  readonly type: string;
  readonly path: string;
  readonly linkPath: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly time: number;
}

/** What this decoder makes of an archive: the entries, or that it is none. */
function found(name: string): readonly Facts[] | "an error" {
  try {
    return decoded(corpusArchive(archives, name)).entries.map((entry) => ({
      type: entry.type,
      path: textOf(entry.path),
      linkPath: textOf(entry.linkPath),
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      sizeBytes: entry.sizeBytes,
      time: entry.mtime.seconds,
    }));
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_ARCHIVE")) return "an error";
    throw error;
  }
}

const types: Readonly<Record<string, EntryType>> = {
  File: "file",
  OldFile: "file",
  Directory: "directory",
  Link: "hardlink",
  SymbolicLink: "symlink",
};

interface NodeTarEntry {
  readonly type: string;
  readonly path: string;
  readonly linkpath?: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: string;
}

/** What node-tar's own tests expect: a list of events, of which the entries are compared. */
function expected(name: string, mode: string): readonly Facts[] {
  const path = join(archives.directory, "../expected", name.replace(/\.tar$/, `${mode}.json`));
  const events: readonly (readonly [string, NodeTarEntry])[] = JSON.parse(readFileSync(path, "utf8"));
  return events
    .filter(([event]) => event === "entry" || event === "ignoredEntry")
    .map(([, entry]) => ({
      type: types[entry.type] ?? entry.type,
      path: entry.path,
      linkPath: entry.linkpath ?? "",
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      sizeBytes: entry.size,
      time: Date.parse(entry.mtime) / 1000,
    }));
}
