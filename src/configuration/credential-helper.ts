import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { onAbort } from "../base/abort.ts";
import { OciUnpackError } from "../base/errors.ts";
import { Program } from "../base/program.ts";
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
    const path = await this.#find();
    signal?.throwIfAborted();
    const program = new Program(path, [verb], { env, signal, ...answer });
    program.input.end(input);
    // A second listener and not `AbortSignal.any`: Node 20 may collect its result before it aborts.
    const deadline = AbortSignal.timeout(deadlineMilliseconds);
    const stopListening = onAbort(deadline, () => program.kill());
    const end = await program.ended
      .catch((error: unknown) => {
        throw this.#failure("it does not start", error);
      })
      .finally(stopListening);
    signal?.throwIfAborted();
    if (deadline.aborted) throw this.#failure(`it did not answer within ${deadlineMilliseconds / 1000} seconds`);
    if (end.isCut) throw this.#failure("its answer is too long");
    if (end.status === 0) return end.output;
    if (end.output.trim() === notFound) return undefined;
    throw this.#failure(`it ended with status ${end.status}`);
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

/** The answer is read up to this length. */
const answer = { kept: "stdout", keptCharacters: 256 * 1024, endsIfLonger: true } as const;

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
