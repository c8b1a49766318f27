import { Buffer } from "node:buffer";
import type { ExportForm } from "../base/option-words.ts";
import type { Digest } from "../oci/digest.ts";
import { encodedOf } from "../oci/digest.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { blockBytes, type TreeFacts } from "./tree-facts.ts";

/** The file system that is to be made. */
export interface FileSystemPlan {
  /** The file that will hold the file system. */
  readonly path: string;
  readonly facts: TreeFacts;
  readonly digest: Digest;
  readonly sourceDateEpoch: number;
  /** The size of the file, if the caller states one. */
  readonly sizeBytes: number | undefined;
}

/** A program that reads an archive from its standard input and makes a file system of it. */
export interface FileSystemTool {
  readonly command: string;
  /** The Debian package that has it. */
  readonly package: string;
  /** The argument with which the program only prints its version, and where it prints it. */
  readonly version: { readonly argument: string; readonly output: "stdout" | "stderr" };
  /** The file, if there is one, in which a machine says what file systems are like. */
  readonly configuration?: string;
  /** How many files and directories a file system says it has, by its first 2 KiB. */
  inodes(beginning: DataView): number;
  args(plan: FileSystemPlan): readonly string[];
  env(plan: FileSystemPlan): Readonly<Record<string, string>>;
}

/** The program for each form. The arguments keep times and random numbers of this machine out of the file system. */
export const fileSystemTools: Readonly<Record<Exclude<ExportForm, "tar">, FileSystemTool>> = {
  erofs: {
    command: "mkfs.erofs",
    package: "erofs-utils",
    version: { argument: "--version", output: "stdout" },
    inodes: (beginning) => Number(beginning.getBigUint64(1024 + 16, true)),
    args: ({ path, digest, sourceDateEpoch }) => [
      ...["--tar=f", "--quiet", "-T", String(sourceDateEpoch), "--mkfs-time", "-U", uuidOf(digest), path],
    ],
    env: () => ({}),
  },
  squashfs: {
    command: "sqfstar",
    package: "squashfs-tools",
    version: { argument: "-version", output: "stdout" },
    inodes: (beginning) => beginning.getUint32(4, true),
    // It ignores the archive's entry for the root, so the root's attributes are arguments.
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
    version: { argument: "-V", output: "stderr" },
    configuration: "/etc/mke2fs.conf",
    inodes: (beginning) => beginning.getUint32(1024, true) - beginning.getUint32(1024 + 16, true), // all but free ones
    args: ({ path, facts, digest, sizeBytes }) => [
      ...["-q", "-F", "-t", "ext4", "-b", String(blockBytes), "-m", "0", "-N", String(inodesFor(facts, sizeBytes))],
      ...["-U", uuidOf(digest), "-E", `hash_seed=${uuidOf(digest)}`, "-d", "-", path],
      `${Math.ceil((sizeBytes ?? sizeFor(facts)) / 1024)}K`,
    ],
    env: ({ sourceDateEpoch }) => ({ E2FSPROGS_FAKE_TIME: String(Math.max(1, sourceDateEpoch)) }),
  },
};

/** A UUID made of the image's digest: the same image always makes the same file system. */
export function uuidOf(digest: Digest): string {
  const hex = encodedOf(digest);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

function within(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

const MiB = 1024 * 1024;
const inodeBytes = 256;

/** For how many bytes of a file system there is an inode by default (mke2fs.conf). */
const bytesPerInode = 16_384;

/**
 * How many inodes to make: some more than needed, for later files; with a stated size at least as many as by default.
 */
function inodesFor({ inodes }: TreeFacts, sizeBytes = 0): number {
  return Math.max(Math.ceil(inodes * 1.1) + 1024, Math.floor(sizeBytes / bytesPerInode));
}

/** The size of a file system that has room for the tree, a journal, ext4's own data and a few more files. */
function sizeFor(facts: TreeFacts): number {
  const contentBytes = facts.blocks * blockBytes + inodesFor(facts) * inodeBytes;
  return Math.ceil((contentBytes * 1.08 + 16 * MiB) / MiB) * MiB;
}

type Xattrs = ReadonlyMap<ByteString, Uint8Array>;

/** As many bytes as Linux keeps for the attributes of one file, and far fewer than a command line may have. */
const mostBytes = 65_536;

/**
 * Those of the root's extended attributes that sqfstar can be given. It does not take them from an archive but from its
 * command line, where only plain names can be written.
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

/** The arguments that give sqfstar the root's extended attributes. */
function rootAttributeArguments(xattrs: Xattrs): readonly string[] {
  return [...tellableOfRoot(xattrs)].flatMap(([name, value]) => {
    return ["-p", `/ x ${name}=0s${Buffer.from(value).toString("base64")}`];
  });
}
