import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./command.ts";
import { insistOnSchemas } from "./json-output.ts";
import { repositoryFile } from "./repository.ts";
import { sandboxEnvironment } from "./sandbox.ts";

/**
 * The command's entry as it is shipped: what the bundler made of the source can go wrong where the source does not. Where
 * only the compiled files were taken along it is the one beside the tests.
 */
export const commandEntry = [repositoryFile("dist/cli/main.js"), new URL("../../src/cli/main.js", import.meta.url)]
  .map((url) => fileURLToPath(url))
  .find((path) => existsSync(path)) as string;

export interface OciUnpackOptions {
  /** Replaces the environment but for PATH and a HOME without any configuration. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly directory?: string;
  /** Receives the running process, to send signals to. */
  readonly started?: (child: ChildProcess) => void;
}

/**
 * Runs the real command as a shell would, and gives all that it said. What it says as JSON has to be what the schema for it
 * says.
 */
export function ociUnpack(args: readonly string[], options: OciUnpackOptions = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [commandEntry, ...args], {
    cwd: options.directory,
    env: { PATH: process.env.PATH, HOME: `${tmpdir()}/nobody`, ...sandboxEnvironment, ...options.env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr += text;
  });
  child.stdin.on("error", () => {}).end(options.input);
  options.started?.(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      const outcome = { status: status ?? undefined, signal: signal ?? undefined, stdout, stderr };
      try {
        if (signal === null) insistOnSchemas(args, outcome);
        resolve(outcome);
      } catch (fault) {
        reject(fault);
      }
    });
  });
}
