import { randomBytes } from "node:crypto";
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { lstatIfThere } from "../base/if-there.ts";
import { check, checkOptions, type Kinds, path as pathKind, pathOf, signal, text } from "../base/option-checks.ts";
import { fileSystemError } from "../base/system-error.ts";
import { replaceFile } from "../output/give-name.ts";
import { makeDirectories } from "../output/made-directories.ts";
import { helperNamesOf, loginKey, namesOf } from "../registry/registry-name.ts";
import { type User, userKind } from "../registry/verify-login.ts";
import { type AuthFile, type Members, parseAuthFile } from "./auth-file.ts";
import { readConfigFile } from "./config-file.ts";
import { CredentialHelper } from "./credential-helper.ts";
import {
  lastingAuthFile,
  type Machine,
  machineKinds,
  machineNeeds,
  runtimeAuthFile,
  type SettledMachine,
  settledMachine,
} from "./machine.ts";

export interface LoginOptions extends Machine {
  /**
   * The file for the login. Default: `$REGISTRY_AUTH_FILE`, or else podman's file, which is gone after the next boot.
   * If this user cannot have that one, `~/.config/containers/auth.json`.
   */
  readonly authFile?: string | URL | undefined;
  /** Ends the call, which then rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

const loginKinds: Kinds<LoginOptions> = { ...machineKinds, authFile: pathKind, signal };

/** `LoginOptions` after they were checked, with paths instead of URLs. */
interface SettledLoginOptions extends SettledMachine {
  readonly authFile: string | undefined;
  /** Ends the call, which then rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stores a user's password for a registry (`ghcr.io`) or for a part of it (`ghcr.io/acme`), and returns where.
 *
 * The file is podman's `auth.json`, so that podman, buildah and skopeo are logged in, too. If the file names a helper
 * for the registry, the helper stores the password. The registry is not asked; `verifyLogin` does that.
 */
export async function login(registry: string, user: User, options: LoginOptions): Promise<string> {
  check("registry", registry, text);
  check("user", user, userKind);
  const settled = settledOptions(options);
  const { username, password } = user;
  if (username === "" || password === "") throw refused("the user name or the password is empty");
  if (username.includes(":")) throw refused("a user name cannot have a colon");
  const key = loginKey(registry);
  const target = await readTarget(await fileToWrite(settled));
  const helper = helperFor(target, key, settled);
  if (helper !== undefined) {
    await helper.store(key, username, password);
    return helper.program;
  }
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  const auths = new Map(target.auths).set(key, { auth });
  await writeAuths(target, auths, settled);
  return target.path;
}

/** Removes a login and returns where it was stored; an empty list means that there was none. */
export async function logout(registry: string, options: LoginOptions): Promise<readonly string[]> {
  check("registry", registry, text);
  const settled = settledOptions(options);
  const key = loginKey(registry);
  const forgotten: string[] = [];
  for (const path of filesOf(settled)) forgotten.push(...(await forget(key, await readTarget(path), settled)));
  return forgotten;
}

function settledOptions(given: LoginOptions): SettledLoginOptions {
  const options = checkOptions(given, loginKinds, machineNeeds);
  const { authFile } = options;
  return { ...settledMachine(options), authFile: authFile && pathOf("authFile", authFile) };
}

async function forget(key: string, target: AuthFile, options: SettledLoginOptions): Promise<readonly string[]> {
  const forgotten: string[] = [];
  const helper = helperFor(target, key, options);
  if (helper !== undefined && (await eraseAll(helper, key))) forgotten.push(helper.program);

  const names = namesOf(key);
  const auths = new Map([...target.auths].filter(([name]) => !names.includes(name)));
  if (auths.size < target.auths.size) {
    await writeAuths(target, auths, options);
    forgotten.push(target.path);
  }
  return forgotten;
}

async function eraseAll(helper: CredentialHelper, key: string): Promise<boolean> {
  let erased = false;
  for (const name of helperNamesOf(key)) erased = (await helper.erase(name)) || erased;
  return erased;
}

/** The files in which a login may be: the one that the user named, or else podman's and the user's. */
function filesOf(options: SettledLoginOptions): readonly string[] {
  const named = options.authFile || options.env.REGISTRY_AUTH_FILE;
  return named ? [named] : [runtimeAuthFile(options), lastingAuthFile(options)];
}

/** The first of the files that can be written. The last one is not checked: writing it reports what is wrong. */
async function fileToWrite(options: SettledLoginOptions): Promise<string> {
  const [first = "", lasting] = filesOf(options);
  return lasting === undefined || (await canHold(first)) ? first : lasting;
}

async function readTarget(path: string): Promise<AuthFile> {
  return parseAuthFile(path, (await readConfigFile(path)) ?? "", "config");
}

async function writeAuths(target: AuthFile, auths: Members, { uid }: SettledLoginOptions): Promise<void> {
  const content = new Map(target.content).set("auths", Object.fromEntries(auths));
  await writePrivateFile(target.path, `${JSON.stringify(Object.fromEntries(content), undefined, "\t")}\n`, uid);
}

function helperFor(file: AuthFile, key: string, { env, signal }: SettledLoginOptions): CredentialHelper | undefined {
  const name = namesOf(key)
    .map((alias) => file.credHelpers.get(alias))
    .find((value) => value !== undefined);
  return typeof name === "string" ? new CredentialHelper(name, { env, signal }) : undefined;
}

function refused(found: string): OciUnpackError {
  return new OciUnpackError("INVALID_OPTION", `cannot log in: ${found}`);
}

/**
 * Replaces a file that only its owner may read. A reader sees the old text or the new one.
 *
 * Throws if another user could change the file: if it is a symlink, belongs to another user, or is in a directory that
 * others may write to. If others could read the file before, they cannot any more.
 */
async function writePrivateFile(path: string, text: string, owner: number): Promise<void> {
  try {
    await makeDirectories(dirname(path), 0o700);
    await refuseUnsafePlace(path, owner);
    await replaceFile(path, text, { mode: 0o600, temporary: `${path}.${randomBytes(6).toString("hex")}` });
  } catch (error) {
    throw fileSystemError(error, `write "${path}"`);
  }
}

/** Whether the directory of a file exists, or can be made, and this user may write to it. */
async function canHold(path: string): Promise<boolean> {
  try {
    await makeDirectories(dirname(path), 0o700);
    await access(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function refuseUnsafePlace(path: string, owner: number): Promise<void> {
  const directory = await stat(dirname(path));
  // In a sticky directory such as /tmp others cannot replace this file.
  if ((directory.mode & 0o022) !== 0 && (directory.mode & 0o1000) === 0) {
    throw unsafe(
      path,
      "others may write to its directory",
      "close that to them (chmod go-w), or name a file in another one",
    );
  }
  const file = await lstatIfThere(path);
  if (file === undefined) return;
  if (file.isSymbolicLink()) throw unsafe(path, "it is a symlink", "name the file that it points to");
  if (!file.isFile()) throw unsafe(path, "it is not a regular file", "name another one");
  if (file.uid !== owner) throw unsafe(path, `it belongs to user ${file.uid}`, "name a file of your own");
}

function unsafe(path: string, found: string, hint: string): OciUnpackError {
  return new OciUnpackError("INVALID_OPTION", `cannot write "${path}": ${found}`, { hint });
}
