import { spawn } from "node:child_process";
import { once } from "node:events";
import { statfs } from "node:fs/promises";
import { onAbort } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import { StreamOutput } from "../output/new-file.ts";
import { endMarkerBytes } from "../tar/encoder.ts";
import type { FileSystemTool } from "./file-system-tool.ts";

/** Where programs of the system are, and nothing that an image or a caller's directory could put there. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Less than any file system needs for its next step. */
const nothingToSpeakOf = 256 * 1024;

/** How much of a program's last words is kept. */
const lastWordsBytes = 4096;

export interface ToolRun {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where the program writes. */
  readonly directory: string;
  /** Where programs are looked for, as PATH has it. */
  readonly searchPath: string | undefined;
  readonly signal: AbortSignal;
}

/** Insists that a program is there, before anything is downloaded for it. */
export async function insistOnTool(tool: FileSystemTool, searchPath: string | undefined): Promise<void> {
  const child = spawn(tool.command, [tool.versionArgument], { env: environment(searchPath), stdio: "ignore" });
  await once(child, "exit").catch((error: unknown) => {
    throw missing(tool, error);
  });
}

/** Runs a program that reads the archive that `feed` writes; resolves when it ended well, and `feed` has. */
export async function runTool(
  tool: FileSystemTool,
  { args, env, directory, searchPath, signal }: ToolRun,
  feed: (write: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const child = spawn(tool.command, [...args], {
    env: { ...environment(searchPath), ...env },
    stdio: ["pipe", "ignore", "pipe"],
  });
  const stop = new AbortController();
  const listenNoMore = onAbort(signal, () => {
    child.kill("SIGKILL");
    stop.abort(signal.reason);
  });
  const ended = once(child, "close");
  const endsWell = ended.then(
    ([status]) => status === 0,
    () => false,
  );
  endsWell.then((isWell) => !isWell && stop.abort(new Error(`${tool.command} reads no more`)));
  let lastWords = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    lastWords = (lastWords + text).slice(-lastWordsBytes);
  });
  child.stdin.on("error", () => {}); // its status tells why it reads no more
  try {
    const input = new ArchiveInput(new StreamOutput(child.stdin, stop.signal), endsWell, tool);
    const feeding = feed((bytes) => input.write(bytes), stop.signal).then(() => child.stdin.end());
    const [fed, end] = await Promise.allSettled([feeding, ended]);
    signal.throwIfAborted();
    if (end.status === "rejected") throw missing(tool, end.reason);
    const [status] = end.value;
    if (status !== 0) throw failed(tool, status, lastWords, await isFull(directory));
    if (fed.status === "rejected") throw fed.reason;
  } finally {
    listenNoMore();
  }
}

/**
 * Where a program reads an archive. It may end well at the first of the zeros that every archive ends with, and need not
 * wait for whoever still writes the others.
 */
class ArchiveInput {
  readonly #output: StreamOutput;
  readonly #endsWell: Promise<boolean>;
  readonly #tool: FileSystemTool;

  constructor(output: StreamOutput, endsWell: Promise<boolean>, tool: FileSystemTool) {
    this.#output = output;
    this.#endsWell = endsWell;
    this.#tool = tool;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const start = Math.max(0, bytes.length - endMarkerBytes);
    const length = start + bytes.subarray(start).findLastIndex((byte) => byte !== 0) + 1;
    try {
      await this.#output.write(bytes.subarray(0, length));
    } catch (error) {
      if (!(await this.#endsWell)) throw error; // its status tells more
      throw failed(this.#tool, 0, "it ended before it had read everything", false);
    }
    await this.#output.write(bytes.subarray(length)).catch(async (error: unknown) => {
      if (!(await this.#endsWell)) throw error;
    });
  }
}

function environment(searchPath: string | undefined): Record<string, string> {
  return { PATH: searchPath ?? defaultPath, LC_ALL: "C.UTF-8" };
}

function missing({ command, package: name }: FileSystemTool, cause: unknown): OciUnpackError {
  return new OciUnpackError("TOOL_MISSING", `cannot run ${command}: it is not installed`, {
    hint: `install ${name}: apt-get install ${name}`,
    cause,
  });
}

/** Not all of them say so: mkfs.erofs speaks of a wrong checksum. */
async function isFull(directory: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize < nothingToSpeakOf;
}

function failed({ command }: FileSystemTool, status: unknown, lastWords: string, isFull: boolean): OciUnpackError {
  const words = lastWords.trim().split("\n").slice(-3).join("; ");
  const found = words === "" ? `it ended with status ${status}` : words;
  return new OciUnpackError(isFull ? "NO_SPACE" : "TOOL_FAILED", `cannot make the file system: ${command}: ${found}`);
}
