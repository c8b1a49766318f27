import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { outcomeOf } from "../test/support/command.ts";
import { repositoryFile } from "../test/support/repository.ts";

/** What numbers depend on besides the programs' own speed: a paragraph in Markdown. */
export async function machine(): Promise<string> {
  const parts = [
    new Date().toISOString().slice(0, 10),
    `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "unknown processor"}`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    await distribution(),
    `Linux ${release()}`,
    `Node ${process.version}`,
    ...(await commit()),
  ];
  return `${parts.join(", ")}.`;
}

/** The versions of other people's programs, as they state them. */
export async function versions(programs: readonly string[]): Promise<string> {
  const found = await Promise.all(programs.map(async (program) => `${program} ${await version(program)}`));
  return `${found.join(", ")}.`;
}

/** `curl 8.14.1 (x86_64-pc-linux-gnu) libcurl/…` is 8.14.1. */
async function version(program: string): Promise<string> {
  const { stdout, stderr } = await outcomeOf(program, ["--version"]);
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? "of an unknown version";
}

async function distribution(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1] ?? "unknown system";
}

/** Which code was measured, where this is a clone. */
async function commit(): Promise<string[]> {
  const git = async (...args: string[]) => await outcomeOf("git", ["-C", repositoryFile("").pathname, ...args]);
  try {
    const { status, stdout } = await git("rev-parse", "--short=12", "HEAD");
    if (status !== 0) return [];
    const changes = await git("diff", "--quiet", "HEAD", "--", "src", "package-lock.json");
    return [`commit ${stdout.trim()}${changes.status === 0 ? "" : " with changes"}`];
  } catch {
    return []; // no git
  }
}
