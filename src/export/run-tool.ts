import { open, statfs } from "node:fs/promises";
import { onAbort } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import { Program } from "../base/program.ts";
import { isErrno } from "../base/system-error.ts";
import { StreamOutput } from "../output/new-file.ts";
import { endMarkerBytes } from "../tar/encoder.ts";
import type { FileSystemTool } from "./file-system-tool.ts";

/** The directories of the system's programs. An image cannot put anything there. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** With less free space than this, a program most likely failed because the disk is full. */
const leastFreeBytes = 256 * 1024;

/** How much of a program's error output is kept. The end of it tells why the program failed. */
const errorOutput = { kept: "stderr", keptCharacters: 4096 } as const;

/** How a program is run. */
export interface ToolRun {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The directory that the program writes to. */
  readonly directory: string;
  /** Where programs are looked for, as in PATH. Default: the system's directories. */
  readonly searchPath: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * What a program says of its version. Throws `TOOL_MISSING` if it is not installed. Called before anything is downloaded.
 */
export async function versionOfTool(tool: FileSystemTool, searchPath: string | undefined): Promise<string> {
  const { argument, output: kept } = tool.version;
  const options = { env: environment(searchPath), kept, keptCharacters: errorOutput.keptCharacters };
  const program = new Program(tool.command, [argument], options);
  program.input.end();
  const { output } = await program.ended.catch((error: unknown) => {
    throw notStarted(tool, error);
  });
  return output;
}

/** Runs a program that reads the archive which `feed` writes. Throws `TOOL_FAILED` if the program fails. */
export async function runTool(
  tool: FileSystemTool,
  { args, env, directory, searchPath, signal }: ToolRun,
  feed: (write: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const program = new Program(tool.command, args, {
    env: { ...environment(searchPath), ...env },
    signal,
    ...errorOutput,
  });
  const stop = new AbortController();
  const stopListening = onAbort(signal, () => stop.abort(signal.reason));
  let hasEnded = false;
  const endsWell = program.ended.then(
    ({ status }) => status === 0,
    () => false,
  );
  endsWell.then((isWell) => {
    hasEnded = true;
    if (!isWell) stop.abort(new Error(`${tool.command} reads no more`));
  });
  let isBroken = false;
  const broken = (error: unknown) => {
    isBroken = !hasEnded;
    program.kill(); // it would wait for the rest
    throw error;
  };
  try {
    const input = new ArchiveInput(new StreamOutput(program.input, stop.signal), endsWell, tool);
    const feeding = feed((bytes) => input.write(bytes), stop.signal).then(() => program.input.end(), broken);
    const [fed, end] = await Promise.allSettled([feeding, program.ended]);
    signal.throwIfAborted();
    if (end.status === "rejected") throw notStarted(tool, end.reason);
    if (fed.status === "rejected" && isBroken) throw fed.reason;
    const { status, output } = end.value;
    if (status !== 0) throw failed(tool, status, output, await isFull(directory));
    if (fed.status === "rejected") throw fed.reason;
  } finally {
    stopListening();
  }
}

/**
 * Throws `TOOL_FAILED` if a file system has fewer files and directories than it was given. mkfs.erofs 1.8 makes an empty
 * one, and says that all is well, where it may start no thread.
 */
export async function requireWhole(tool: FileSystemTool, path: string, inodes: number): Promise<void> {
  await using file = await open(path);
  const { buffer } = await file.read(new Uint8Array(2048));
  const made = tool.inodes(new DataView(buffer.buffer));
  if (made >= inodes) return;
  const message = `cannot make the file system: ${tool.command} made ${made} of ${inodes} files and directories`;
  const hint = "the program said nothing of it: allow it more processes (ulimit -u), or install another version";
  throw new OciUnpackError("TOOL_FAILED", message, { hint });
}

/**
 * The standard input of a program that reads an archive. The program may end successfully before it has read all zeros
 * at the end of the archive; then writing the rest of them may fail.
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
      if (!(await this.#endsWell)) throw error; // the program's status tells more
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

function notStarted({ command, package: name }: FileSystemTool, cause: unknown): OciUnpackError {
  if (cause instanceof OciUnpackError) return cause;
  if (!isErrno(cause, "ENOENT")) return new OciUnpackError("TOOL_FAILED", `cannot run ${command}: ${cause}`, { cause });
  return new OciUnpackError("TOOL_MISSING", `cannot run ${command}: it is not installed`, {
    hint: `install ${name}: apt-get install ${name}`,
    cause,
  });
}

/** Whether the disk is full. Not all programs say so: mkfs.erofs complains about a wrong checksum. */
async function isFull(directory: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize < leastFreeBytes;
}

function failed({ command }: FileSystemTool, status: unknown, lastWords: string, isFull: boolean): OciUnpackError {
  const words = lastWords.trim().split("\n").slice(-3).join("; ");
  const found = words === "" ? `it ended with status ${status}` : words;
  return new OciUnpackError(isFull ? "NO_SPACE" : "TOOL_FAILED", `cannot make the file system: ${command}: ${found}`);
}
