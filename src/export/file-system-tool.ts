import { Buffer } from "node:buffer";
import type { ExportForm } from "../base/option-words.ts";
import type { Digest } from "../oci/digest.ts";
import { encodedOf } from "../oci/digest.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { blockBytes, type TreeFacts } from "./tree-facts.ts";

/** What is to be made, and of what. */
export interface FileSystemPlan {
  /** The file that it is made in. */
  readonly path: string;
  readonly facts: TreeFacts;
  readonly digest: Digest;
  readonly sourceDateEpoch: number;
  /** The size of the file, where the caller says. */
  readonly sizeBytes: number | undefined;
}

/** A program that makes a file system of an archive on its standard input. */
export interface FileSystemTool {
  readonly command: string;
  /** The Debian package that has it. */
  readonly package: string;
  /** What makes it tell its version and do nothing. */
  readonly versionArgument: string;
  args(plan: FileSystemPlan): readonly string[];
  env(plan: FileSystemPlan): Readonly<Record<string, string>>;
}

/** The programs for each form. All are told not to take a time or a random number from this machine. */
export const fileSystemTools: Readonly<Record<Exclude<ExportForm, "tar">, FileSystemTool>> = {
  erofs: {
    command: "mkfs.erofs",
    package: "erofs-utils",
    versionArgument: "--version",
    args: ({ path, digest, sourceDateEpoch }) => [
      ...["--tar=f", "--quiet", "-T", String(sourceDateEpoch), "--mkfs-time", "-U", uuidOf(digest), path],
    ],
    env: () => ({}),
  },
  squashfs: {
    command: "sqfstar",
    package: "squashfs-tools",
    versionArgument: "-version",
    // It passes over the archive's entry for the root.
    args: ({ path, facts, sourceDateEpoch }) => [
      ...["-reproducible", "-quiet", "-no-progress", "-mkfs-time", String(within(sourceDateEpoch, 0, 2 ** 32 - 1))],
      ...["-root-mode", facts.rootMode.toString(8), "-root-uid", String(facts.rootUid)],
      ...["-root-gid", String(facts.rootGid), "-root-time", String(within(facts.rootSeconds, 0, 2 ** 32 - 1))],
      ...rootAttributeArguments(facts.rootXattrs),
      ...["-force", path],
    ],
    env: () => ({}),
  },
  ext4: {
    command: "mke2fs",
    package: "e2fsprogs",
    versionArgument: "-V",
    args: ({ path, facts, digest, sizeBytes }) => [
      ...["-q", "-F", "-t", "ext4", "-b", String(blockBytes), "-m", "0", "-N", String(inodesFor(facts, sizeBytes))],
      ...["-U", uuidOf(digest), "-E", `hash_seed=${uuidOf(digest)}`, "-d", "-", path],
      `${Math.ceil((sizeBytes ?? sizeFor(facts)) / 1024)}K`,
    ],
    env: ({ sourceDateEpoch }) => ({ E2FSPROGS_FAKE_TIME: String(Math.max(1, sourceDateEpoch)) }),
  },
};

/** The same image has the same name for itself every time. */
function uuidOf(digest: Digest): string {
  const hex = encodedOf(digest);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

const MiB = 1024 * 1024;
const inodeBytes = 256;

/** How many bytes of a file system have an inode where nobody says otherwise (mke2fs.conf). */
const bytesPerInode = 16_384;

/** Some are left for whoever writes to the file system later: in one of a size of its own, as many as anywhere. */
function inodesFor({ inodes }: TreeFacts, sizeBytes = 0): number {
  return Math.max(Math.ceil(inodes * 1.1) + 1024, Math.floor(sizeBytes / bytesPerInode));
}

/** Enough for a journal and for what ext4 needs to keep its books, with a little room to write. */
function sizeFor(facts: TreeFacts): number {
  const contentBytes = facts.blocks * blockBytes + inodesFor(facts) * inodeBytes;
  return Math.ceil((contentBytes * 1.08 + 16 * MiB) / MiB) * MiB;
}

type Xattrs = ReadonlyMap<ByteString, Uint8Array>;

/** As much as Linux keeps of one file's attributes, and well below what a command line may have. */
const mostBytes = 65_536;

/**
 * Those of the root's extended attributes that sqfstar can be told, which does not take them from an archive: on its
 * command line, where only plain names mean themselves.
 */
export function tellableOfRoot(xattrs: Xattrs): Xattrs {
  let bytes = 0;
  return new Map(
    [...xattrs].filter(([name, value]) => {
      if (!/^(?:user|trusted|security)\.[\w.:-]+$/.test(name) || bytes + name.length + value.length > mostBytes)
        return false;
      bytes += name.length + value.length;
      return true;
    }),
  );
}

/** The arguments by which sqfstar is told. */
function rootAttributeArguments(xattrs: Xattrs): readonly string[] {
  return [...tellableOfRoot(xattrs)].flatMap(([name, value]) => {
    return ["-p", `/ x ${name}=0s${Buffer.from(value).toString("base64")}`];
  });
}
