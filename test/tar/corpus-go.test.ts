import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { type DecodedEntry, decoded } from "../support/decode.ts";
import { corpus, corpusArchive } from "../support/tar-corpus.ts";
import { skipWithout } from "../support/tools.ts";

type Deviations = Readonly<Record<string, string>>;

/** Where this decoder and libarchive part, and why. Mostly it does as Go does, with which nearly all images were made. */
const deviationsFromBsdtar: Deviations = {
  "gnu-incremental.tar": "GNU's list of a directory, type D, is no directory",
  "hdr-only.tar": "a size does not give data to directories, links, fifos and devices",
  "invalid-go17.tar": "the prefix that old Go wrote into GNU's dialect counts",
  "nil-uid.tar": "a real size means nothing where the file is not sparse",
  "pax-bad-mtime-file.tar": "a time that is no number is an error",
  "pax-multi-hdrs.tar": "a second pax header is no error, but replaces the first",
  "pax-nul-path.tar": "a NUL in a path is an error",
};

/** Where this decoder and GNU tar part, and why. */
const deviationsFromGnuTar: Deviations = {
  "hdr-only.tar": "a size does not give data to directories, links, fifos and devices",
  "invalid-go17.tar": "the prefix that old Go wrote into GNU's dialect counts",
  "pax-bad-hdr-large.tar.bz2": "a pax header of more than a MiB is over the limit",
  "pax-global-records.tar": "a global header changes nothing",
  "pax-nul-path.tar": "a NUL in a path is an error",
  "pax-path-hdr.tar": "a pax header without an entry is an error",
  "sparse-formats.tar": "the segments of a sparse file need not be whole blocks",
};

const archives = corpus("go");
/** Archives whose files have gigabytes, holes counted, are not compared by content. */
const huge = /-big|incremental/;

/** What is compared, or that the archive is refused. */
type Verdict = unknown;

const comparisons = [
  { reader: "bsdtar", deviations: deviationsFromBsdtar, mine: attributes, theirs: bsdtarAttributes },
  { reader: "tar", deviations: deviationsFromGnuTar, mine: namesAndContent, theirs: gnuTarNamesAndContent },
] as const;

for (const { reader, deviations, mine, theirs } of comparisons) {
  const skip = archives.skip || skipWithout(reader, "bzip2");
  test(`Go's corpus decodes to what ${reader} reads`, { skip }, async (t) => {
    for (const name of archives.names) {
      const deviation = deviations[name];
      await t.test(deviation === undefined ? name : `${name}, except that ${deviation}`, () => {
        const withContent = !huge.test(name);
        const found = verdict(() => mine(decoded(corpusArchive(archives, name)).entries, withContent));
        const expected = theirs(join(archives.directory, name), withContent);
        // A deviation that is none any more has to leave the table.
        if (deviation === undefined) assert.deepEqual(found, expected);
        else assert.notDeepEqual(found, expected);
      });
    }
  });
}

function verdict(read: () => Verdict): Verdict {
  try {
    return read();
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_ARCHIVE", "LIMIT_EXCEEDED")) return "refused";
    throw error;
  }
}

/** Everything but the order, by path; of several entries of one path, the last. */
function attributes(entries: readonly DecodedEntry[], withContent: boolean): Verdict {
  const facts = entries.map((entry): [string, Readonly<Record<string, string>>] => {
    const { type, uid, gid, mode, mtime, deviceMajor, deviceMinor } = entry;
    return [
      entry.path.replace(/^\.?\//, "").replace(/\/+$/, ""),
      {
        type: mtreeTypes[type],
        uid: String(uid),
        gid: String(gid),
        mode: mode.toString(8),
        time: `${mtime.seconds}.${mtime.nanoseconds}`,
        ...(type === "symlink" && { link: entry.linkPath }),
        ...((type === "file" || type === "hardlink") && { size: String(entry.sizeBytes) }),
        ...(type.endsWith("-device") && { device: `native,${deviceMajor},${deviceMinor}` }),
      },
    ];
  });
  const content = withContent ? entries.map(withHoles).join("") : "";
  return { content, ...Object.fromEntries(facts) };
}

/** mtree has no hard links: it calls them files of no size. */
const mtreeTypes = {
  file: "file",
  hardlink: "file",
  directory: "dir",
  symlink: "link",
  fifo: "fifo",
  "character-device": "char",
  "block-device": "block",
  other: "other",
} as const;

function bsdtarAttributes(path: string, withContent: boolean): Verdict {
  const keywords = ["!all", "type", "mode", "uid", "gid", "size", "time", "link", "device"];
  const options = keywords.map((keyword) => `mtree:${keyword}`).join(",");
  const listing = output("bsdtar", "-cf", "-", "--format=mtree", `--options=${options}`, `@${path}`);
  if (listing === undefined) return "refused";
  const lines = listing.split("\n").filter((line) => line.startsWith("./"));
  const facts = lines.map((line) => {
    const [name = "", ...facts] = line.split(" ").map(unescaped);
    return [name.slice(2), Object.fromEntries(facts.map((fact) => fact.split("=", 2)))];
  });
  const content = withContent ? output("bsdtar", "-xOf", path) : "";
  return { content, ...Object.fromEntries(facts) };
}

/** mtree writes odd characters as three octal digits. */
function unescaped(word: string): string {
  return word.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Names in order as they stand in the archive, and what is in all files together. */
function namesAndContent(entries: readonly DecodedEntry[], withContent: boolean): Verdict {
  const names = entries.map(({ path }) => path);
  return withContent ? { names, content: entries.map(withHoles).join("") } : { names };
}

function gnuTarNamesAndContent(path: string, withContent: boolean): Verdict {
  const listing = output("tar", "--quoting-style=literal", "-tf", path);
  if (listing === undefined) return "refused";
  const names = listing.split("\n").slice(0, -1);
  return withContent ? { names, content: output("tar", "-xOf", path) ?? "refused" } : { names };
}

/** The content as a reader of the file sees it, holes as zeros. */
function withHoles({ content, sizeBytes, segments }: DecodedEntry): string {
  if (segments === undefined) return content;
  const file = Buffer.alloc(sizeBytes);
  let at = 0;
  for (const { offset, length } of segments) {
    file.write(content.slice(at, at + length), offset, "latin1");
    at += length;
  }
  return file.toString("latin1");
}

/** What a program writes, as text where each character is a byte; `undefined` where it fails. */
function output(program: string, ...words: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, words, {
    encoding: "latin1",
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    maxBuffer: 2 ** 30,
  });
  return status === 0 ? stdout : undefined;
}
