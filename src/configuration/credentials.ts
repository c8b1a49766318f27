import { stat } from "node:fs/promises";
import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { checkOptions, count, type Kinds, path as pathKind, pathOf } from "../base/option-checks.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import type { Credential, Credentials } from "../registry/options.ts";
import { helperNamesOf, namesOf } from "../registry/registry-name.ts";
import { type AuthFile, findEntry, parseAuthFile } from "./auth-file.ts";
import { readConfigFile, warnOfFile } from "./config-file.ts";
import { CredentialHelper } from "./credential-helper.ts";
import {
  type CredentialFile,
  credentialFiles,
  type Machine,
  machineKinds,
  machineNeeds,
  type SettledMachine,
  settledMachine,
} from "./machine.ts";

export interface DockerCredentialsOptions extends Machine {
  /** A file that is read before all others. */
  readonly authFile?: string | URL | undefined;
  /** How long a credential helper may take. It needs more time if it asks the user. Default: 10 s. */
  readonly helperDeadlineMilliseconds?: number | undefined;
}

/** `DockerCredentialsOptions` after they were checked, with paths instead of URLs. */
interface SettledCredentialOptions extends SettledMachine {
  readonly authFile?: string | undefined;
  readonly helperDeadlineMilliseconds?: number | undefined;
}

const credentialKinds: Kinds<DockerCredentialsOptions> = {
  ...machineKinds,
  authFile: pathKind,
  helperDeadlineMilliseconds: count,
};

interface Question {
  readonly host: string;
  readonly path: string;
  readonly options: FetchOptions;
  readonly machine: SettledCredentialOptions;
}

/**
 * Finds credentials where docker and podman keep them: in files, and with the helpers that these name.
 *
 * The order is: `authFile`, `$REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json`, podman's `auth.json` in
 * `$XDG_RUNTIME_DIR` and in `$XDG_CONFIG_HOME`, `~/.docker/config.json`, `~/.dockercfg`, and in a GitHub workflow
 * `$GITHUB_TOKEN` for ghcr.io. Files are read each time, because logins may change while a program runs. A file that
 * cannot be used is a warning, except for `authFile`, which is an error.
 */
export function dockerCredentials(options: DockerCredentialsOptions): Credentials {
  const checked = checkOptions(options, credentialKinds, machineNeeds);
  const { authFile } = checked;
  return credentialsOf({ ...settledMachine(checked), authFile: authFile && pathOf("authFile", authFile) });
}

/** `dockerCredentials` for options that have been checked. */
export function credentialsOf(options: SettledCredentialOptions): Credentials {
  const files = credentialFiles(options, options.authFile);
  return async (host, path, fetchOptions = {}) => {
    const question = { host, path, options: fetchOptions, machine: options };
    for (const credentialFile of files) {
      const file = await readAuthFile(credentialFile, {
        mustExist: credentialFile.path === options.authFile,
        ...fetchOptions,
      });
      const credential = file && (await credentialFrom(file, question));
      if (credential !== undefined) return credential;
    }
    return workflowCredential(question);
  };
}

/** Throws if the file does not exist. It is not opened, because it may be a pipe, which can be read only once. */
export async function requireAuthFile(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    throw isErrno(error, "ENOENT", "ENOTDIR") ? noSuchFile(path) : fileSystemError(error, `read "${path}"`);
  }
}

function noSuchFile(path: string): OciUnpackError {
  return new OciUnpackError("CONFIGURATION", `cannot read "${path}": there is no such file`, {
    hint: "logins are in files such as ~/.docker/config.json; `login` with `authFile` makes one",
  });
}

async function readAuthFile(
  { path, format, named }: CredentialFile,
  { mustExist, ...options }: FetchOptions & { readonly mustExist: boolean },
): Promise<AuthFile | undefined> {
  try {
    const text = await readConfigFile(path, options);
    if (text !== undefined) return parseAuthFile(path, text, format);
    if (named) throw noSuchFile(path);
  } catch (error) {
    if (mustExist || !(error instanceof OciUnpackError)) throw error;
    warnOfFile(options.onEvent, error.message);
  }
  return undefined;
}

/**
 * The credential from a file: the helper for the registry comes first, then the helper for all, then the file itself.
 */
async function credentialFrom(file: AuthFile, question: Question): Promise<Credential | undefined> {
  const { host, path, options } = question;
  for (const name of namesOf(host)) {
    const helper = file.credHelpers.get(name);
    if (typeof helper === "string") {
      const credential = await askHelper(helper, `${file.path}, credHelpers["${name}"]`, question);
      if (credential !== undefined) return credential;
    }
  }
  if (file.credsStore !== undefined) {
    const credential = await askHelper(file.credsStore, `${file.path}, credsStore`, question);
    if (credential !== undefined) return credential;
  }
  const found = findEntry(file.auths, host, path, (key) => {
    warnOfFile(options.onEvent, `cannot use "${file.path}": ${file.locate("auths", key)} is malformed`);
  });
  return found && { ...found.credential, origin: `${file.path}, auths["${found.key}"]` };
}

/**
 * A helper that fails is a warning: most images need no credentials, and a configuration from another machine often
 * fails.
 */
async function askHelper(name: string, origin: string, question: Question): Promise<Credential | undefined> {
  const { signal, onEvent } = question.options;
  try {
    const { env, helperDeadlineMilliseconds: deadlineMilliseconds } = question.machine;
    const helper = new CredentialHelper(name, { env, signal, deadlineMilliseconds });
    for (const server of helperNamesOf(question.host)) {
      const credential = await helper.get(server);
      if (credential !== undefined) return { ...credential, origin: `${origin}: ${helper.program}` };
    }
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    warnOfFile(onEvent, error.message);
  }
  return undefined;
}

/** The token of a GitHub workflow, which may read the packages of its repository without a login. */
function workflowCredential({ host, machine }: Question): Credential | undefined {
  const { GITHUB_ACTIONS, GITHUB_TOKEN, GITHUB_ACTOR } = machine.env;
  if (host !== "ghcr.io" || GITHUB_ACTIONS !== "true" || !GITHUB_TOKEN) return undefined;
  return { username: GITHUB_ACTOR || "x-access-token", password: GITHUB_TOKEN, origin: "$GITHUB_TOKEN" };
}
