import { constants, existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMainThread, Worker } from "node:worker_threads";
import { applySettings } from "../src/layer/settings.ts";
import { changeTimes } from "../src/linux/attributes.ts";
import { writeSome } from "../src/linux/content.ts";
import { closeDescriptor, makeDirectoryAt, openAt, openDirectoryAt, openDirectoryPath } from "../src/linux/syscalls.ts";
import { ownUmask } from "../src/linux/thread.ts";
import { removeChildren } from "../src/rootfs/remove-tree.ts";
import { openRootfs } from "../src/rootfs/rootfs.ts";
import { byteStringOf } from "../src/tar/byte-string.ts";
import type { Entry } from "../src/tar/entry.ts";

/*
 * How fast entries become files: many small files from memory, without archive, compression or network.
 *
 *     node build/bench/rootfs.js [files] [files per directory] [rounds]
 *
 * Beside it, in the same run, the least that has to be done for such files: openat, write, futimens, close, with every
 * directory at hand. The ratio is what paths, rules and bookkeeping cost.
 */

const [files = 100_000, filesPerDirectory = 10, rounds = 5] = process.argv.slice(2).map(Number);

const content = new Uint8Array(700).fill(97);
const mtime = { seconds: 1_700_000_000, nanoseconds: 123_456_789 };

const blank: Entry = {
  type: "file",
  typeFlag: "0",
  path: byteStringOf(""),
  linkPath: byteStringOf(""),
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: content.length,
  mtime,
  deviceMajor: 0,
  deviceMinor: 0,
  offset: 0,
};

function entries(): readonly Entry[] {
  const all: Entry[] = [];
  for (let index = 0; index < files; index += 1) {
    const directory = Math.floor(index / filesPerDirectory);
    const parent = `usr/share/package-${directory >> 4}/part-${directory & 15}`;
    if (index % filesPerDirectory === 0) {
      all.push({ ...blank, type: "directory", path: byteStringOf(`${parent}/`), mode: 0o755, sizeBytes: 0 });
    }
    all.push({ ...blank, path: byteStringOf(`${parent}/file-${index}.txt`) });
  }
  return all;
}

function applied(directory: number, all: readonly Entry[]): number {
  const settings = applySettings({ strict: true });
  const began = process.hrtime.bigint();
  const rootfs = openRootfs(directory, settings, { skipped: fail, warning: fail });
  const applier = rootfs.beginLayer(0);
  let isRead = false;
  const body = {
    read() {
      isRead = !isRead;
      return isRead ? content : undefined;
    },
  };
  for (const entry of all) applier.apply(entry, body);
  applier.end();
  rootfs.finish();
  rootfs.close();
  return secondsSince(began);
}

function fail(...finding: readonly unknown[]): never {
  throw new Error(finding.join(" "));
}

/** The same files in as few system calls as there can be, in one level of directories. */
function leastWork(directory: number): number {
  const began = process.hrtime.bigint();
  let parent = -1;
  for (let index = 0; index < files; index += 1) {
    if (index % filesPerDirectory === 0) {
      if (parent >= 0) closeDescriptor(parent);
      const name = byteStringOf(`part-${index}`);
      makeDirectoryAt(directory, name, 0o755);
      parent = openDirectoryAt(directory, name);
    }
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = openAt(parent, byteStringOf(`file-${index}.txt`), flags, 0o644);
    writeSome(file, content);
    changeTimes(file, mtime, mtime);
    closeDescriptor(file);
  }
  closeDescriptor(parent);
  return secondsSince(began);
}

function secondsSince(began: bigint): number {
  return Number(process.hrtime.bigint() - began) / 1e9;
}

function measured(): void {
  ownUmask();
  const all = entries();
  const path = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "oci-unpack-bench-"));
  const directory = openDirectoryPath(path);
  const best = { applied: Number.POSITIVE_INFINITY, least: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round += 1) {
    best.applied = Math.min(best.applied, applied(directory, all));
    removeChildren(directory);
    best.least = Math.min(best.least, leastWork(directory));
    removeChildren(directory);
  }
  closeDescriptor(directory);
  rmdirSync(path);
  const rate = (seconds: number) => `${Math.round(files / seconds).toLocaleString("en")} files/s`;
  const ratio = (best.applied / best.least).toFixed(2);
  console.log(`${process.version}: applied ${rate(best.applied)}, least work ${rate(best.least)}, ratio ${ratio}`);
}

if (isMainThread) new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
else measured();
