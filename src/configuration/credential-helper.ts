import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { Readable } from "node:stream";
import { OciUnpackError } from "../base/errors.ts";
import type { Credential } from "../registry/options.ts";
import { isObject, passwordOrToken } from "./auth-file.ts";
import type { Environment } from "./machine.ts";

/** How a helper is run. */
interface HelperOptions {
  /** The environment of the helper. Helpers are looked for in its `PATH`. */
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
  /** How long it may take. Default: 10 s. */
  readonly deadlineMilliseconds?: number | undefined;
}

/**
 * A program that keeps credentials, with docker's protocol: `docker-credential-NAME get` reads the name of the server
 * from its standard input and writes JSON to its standard output.
 *
 * It is run without a shell, from an absolute directory of `PATH`, for a limited time. Its output is never shown,
 * because it may be a secret.
 */
export class CredentialHelper {
  readonly program: string;
  readonly #options: HelperOptions;

  constructor(name: string, options: HelperOptions) {
    this.program = `docker-credential-${name}`;
    this.#options = options;
    // With a slash, a program would be run that is not in a directory of PATH.
    if (!/^[A-Za-z0-9._-]+$/.test(name)) throw this.#failure("its name is not one of a program");
  }

  /** The credential for a server; `undefined` if there is none. */
  async get(server: string): Promise<Credential | undefined> {
    const output = await this.#run("get", server);
    if (output === undefined) return undefined;
    const { Username: username = "", Secret: secret = "" } = this.#parsed(output);
    if (typeof username !== "string" || typeof secret !== "string") {
      throw this.#failure("its answer is not a credential");
    }
    return secret === "" ? undefined : passwordOrToken(username, secret);
  }

  async store(server: string, username: string, password: string): Promise<void> {
    await this.#run("store", JSON.stringify({ ServerURL: server, Username: username, Secret: password }));
  }

  /** Removes the credential for a server. Returns whether there was one. */
  async erase(server: string): Promise<boolean> {
    return (await this.#run("erase", server)) !== undefined;
  }

  #parsed(output: string): Readonly<Record<string, unknown>> {
    try {
      const answer: unknown = JSON.parse(output);
      if (isObject(answer)) return answer;
    } catch {
      // V8's message is not used, because it would quote the secret.
    }
    throw this.#failure("its answer is not JSON");
  }

  /** Runs the helper and returns its output; `undefined` if it says that it has nothing for the server. */
  async #run(verb: string, input: string): Promise<string | undefined> {
    const { env, signal, deadlineMilliseconds = 10_000 } = this.#options;
    const outcome = await runProgram(await this.#find(), verb, { env, input, signal, deadlineMilliseconds });
    switch (outcome.type) {
      case "not-started":
        throw this.#failure("it does not start", outcome.cause);
      case "too-late":
        throw this.#failure(`it did not answer within ${deadlineMilliseconds / 1000} seconds`);
      case "too-long":
        throw this.#failure("its answer is too long");
      case "ended":
        if (outcome.status === 0) return outcome.output;
        if (outcome.output.trim() === notFound) return undefined;
        throw this.#failure(`it ended with status ${outcome.status}`);
    }
  }

  /**
   * Finds the program in `PATH`. Relative entries are ignored: they could lead to a program in the current directory.
   */
  async #find(): Promise<string> {
    for (const directory of (this.#options.env.PATH ?? "").split(":").filter(isAbsolute)) {
      const path = join(directory, this.program);
      if (await isExecutable(path)) return path;
    }
    throw this.#failure("it is not on PATH");
  }

  #failure(found: string, cause?: unknown): OciUnpackError {
    return new OciUnpackError("CONFIGURATION", `cannot use the credential helper "${this.program}": ${found}`, {
      cause,
    });
  }
}

/** The message that means that there is no credential (docker-credential-helpers, credentials/error.go). */
const notFound = "credentials not found in native keychain";

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** How a program is run. */
interface ProcessOptions {
  readonly env: Environment;
  readonly input: string;
  readonly deadlineMilliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** How a program ended. */
type Outcome =
  | { readonly type: "ended"; readonly status: number | null; readonly output: string }
  | { readonly type: "not-started"; readonly cause: unknown }
  | { readonly type: "too-late" }
  | { readonly type: "too-long" };

const largestOutputBytes = 256 * 1024;

/** Runs a program without a shell, until it ends or until the deadline, and returns its standard output. */
async function runProgram(path: string, argument: string, options: ProcessOptions): Promise<Outcome> {
  const { signal } = options;
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(options.deadlineMilliseconds);
  const child = spawn(path, [argument], { env: { ...options.env }, stdio: ["pipe", "pipe", "ignore"] });
  const kill = () => {
    child.kill("SIGKILL");
    // Another program that it started may keep the pipe open for ever.
    child.stdout.destroy();
  };
  // Two listeners and not `AbortSignal.any`: Node 20 may collect its result before it aborts.
  signal?.addEventListener("abort", kill, { once: true });
  deadline.addEventListener("abort", kill, { once: true });
  try {
    child.stdin.on("error", () => {}); // A program need not read its input; its status tells whether it succeeded.
    child.stdin.end(options.input);
    const [exit, output] = await Promise.allSettled([once(child, "exit"), textOf(child.stdout, kill)]);
    signal?.throwIfAborted();
    if (deadline.aborted) return { type: "too-late" };
    if (exit.status === "rejected") return { type: "not-started", cause: exit.reason };
    if (output.status === "rejected") return { type: "too-long" };
    return { type: "ended", status: exit.value[0], output: output.value };
  } finally {
    signal?.removeEventListener("abort", kill);
    deadline.removeEventListener("abort", kill);
  }
}

async function textOf(stream: Readable, stop: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > largestOutputBytes) stop();
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
