import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Gives a process a file system that it may ruin: everything there is, with all changes kept in memory, in a mount
 * namespace of its own. `/compare` is a place to work; `/changes` shows what was changed anywhere else.
 */
const enter = `
set -eu
top=$1; shift
mount -t tmpfs -o mode=0700 tmpfs "$top"
mkdir "$top/changes" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$top/changes,workdir=$top/work" "$top/root"
for name in proc sys dev; do mount --rbind "/$name" "$top/root/$name"; done
mkdir -p "$top/root/compare" "$top/root/changes"
mount --bind "$top/changes" "$top/root/changes"
mount -t tmpfs -o mode=0755 tmpfs "$top/root/compare"
exec chroot "$top/root" "$@"
`;

/** Runs a command in there and gives its standard output; its standard error is seen. */
export async function inThrowAwayRoot(command: string, args: readonly string[]): Promise<string> {
  const top = mkdtempSync(join(tmpdir(), "oci-unpack-compare-"));
  try {
    const shell = ["sh", "-c", enter, "enter", top, command, ...args];
    const child = spawn("unshare", ["--mount", "--propagation", "private", ...shell], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) output += chunk;
    if (child.exitCode !== null && child.exitCode !== 0) throw new Error(`the comparison ended with ${child.exitCode}`);
    return output;
  } finally {
    rmdirSync(top); // empty again: what was in it went with the namespace
  }
}

/** What storage libraries write wherever they run. */
const usual = /^(compare|changes|tmp|run|var\/(lib\/containers|cache|tmp)|etc\/(mtab|containers)|root\/\.)/;

/** Files outside the place to work that somebody made or changed. */
export function changesElsewhere(): string[] {
  return readdirSync("/changes", { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice("/changes/".length))
    .filter((path) => !usual.test(path));
}
