import { readFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { output } from "../test/support/command.ts";

/** What the numbers depend on besides the programs' own speed: a list in Markdown. */
export async function machine(): Promise<string> {
  const processors = cpus();
  return [
    `- date: ${new Date().toISOString().slice(0, 10)}`,
    `- processor: ${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}`,
    `- memory: ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `- system: ${await distribution()}, Linux ${release()}`,
    `- Node: ${process.version}`,
    `- skopeo: ${firstLine(await output("skopeo", ["--version"]))}`,
    `- umoci: ${firstLine(await output("umoci", ["--version"]))}`,
  ].join("\n");
}

async function distribution(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?(.*?)"?$/m.exec(text)?.[1] ?? "unknown";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
