import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Outcome, outcomeOf } from "../support/command.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { isSandboxed, noSandbox } from "../support/sandbox.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import type { User } from "./place.ts";

export const root: User = { uid: 0, gid: 0 };

/** A user whom nothing on the machine belongs to. */
export const ordinaryUser: User = { uid: 61_234, gid: 61_234 };

/** The command as it is shipped, where every user may read it. */
export interface Program {
  readonly entry: string;
  /** Where `src` and `test` lie. */
  readonly directory: string;
  /** For its environment. */
  readonly nodeOptions: string;
  run(user: User, args: readonly string[], home: string): Promise<Outcome>;
}

let found: Program | undefined;

/**
 * Finds the compiled command; makes a copy of it where its folder, perhaps in root's home, is closed to others. All tests of
 * a process have the same, which goes with the process.
 */
export function program(): Program {
  found ??= located();
  return found;
}

function located(): Program {
  const built = fileURLToPath(new URL("../../", import.meta.url));
  const isOpen = spawnSync("setpriv", asUser(ordinaryUser, "test", ["-r", commandEntry])).status === 0;
  const place = isOpen ? built : openCopy(built);
  const entry = isOpen ? commandEntry : join(place, relative(join(built, ".."), commandEntry));
  const nodeOptions = isSandboxed ? "" : noSandbox(join(place, "test/support"));
  return {
    directory: place,
    entry,
    nodeOptions,
    run: (user, args, home) =>
      outcomeOf("setpriv", asUser(user, process.execPath, [entry, ...args]), {
        environment: { HOME: home, XDG_RUNTIME_DIR: "", DOCKER_CONFIG: "", NODE_OPTIONS: nodeOptions, NO_COLOR: "1" },
        directory: "/",
      }),
  };
}

/** The `skip` of a test in which Node itself must be within the user's reach, for it starts again without root's rights. */
export function skipUnlessNodeIsOpen(): false | string {
  isNodeOpen ??=
    spawnSync("setpriv", asUser(ordinaryUser, "sh", ["-c", `exec "$0" --version`, process.execPath])).status === 0;
  return isNodeOpen ? false : `${process.execPath} lies where other users may not go`;
}

/** Asked once: a file has many such tests. */
let isNodeOpen: boolean | undefined;

/** The `skip` of a test that needs an ordinary user's namespaces, which a kernel, a container or a chroot may forbid. */
export function skipWithoutUserNamespaces(): false | string {
  const skip = skipUnlessRoot() || skipWithout("setpriv", "unshare");
  if (skip !== false) return skip;
  const unshare = asUser(ordinaryUser, "unshare", ["--map-root-user", "true"]);
  return spawnSync("setpriv", unshare, { stdio: "ignore" }).status === 0 ? false : "user namespaces are forbidden here";
}

/** The arguments with which setpriv runs a command as a user. */
export function asUser({ uid, gid, through = [] }: User, command: string, args: readonly string[]): string[] {
  return [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--", ...through, command, ...args];
}

function openCopy(built: string): string {
  const place = mkdtempSync(join(tmpdir(), "oci-unpack-program-"));
  process.once("exit", () => rmSync(place, { recursive: true }));
  for (const part of ["src", "test"]) cpSync(join(built, part), join(place, part), { recursive: true });
  const repository = join(built, "..");
  for (const part of ["dist", "build/src"]) {
    if (existsSync(join(repository, part))) cpSync(join(repository, part), join(place, part), { recursive: true });
  }
  cpSync(join(repository, "package.json"), join(place, "package.json"));
  for (const name of ["@sigstore", "koffi", "@koromix", "smol-toml", "tldts", "tldts-core"]) {
    const from = join(repository, "node_modules", name);
    if (spawnSync("test", ["-e", from]).status === 0) {
      cpSync(from, join(place, "node_modules", name), { recursive: true, dereference: true });
    }
  }
  execFileSync("chmod", ["-R", "a+rX", place]);
  return place;
}
