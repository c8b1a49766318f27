import {
  chmodSync,
  chownSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";
import type { Listing } from "../model/listing.ts";
import { readTree } from "../rules/real-tree.ts";

const setxattr = koffi.load(null).func("setxattr", "int", ["const char*", "const char*", "const char*", "long", "int"]);

/** Where hostile images are unpacked: a target, and beside it everything that they would like to reach. */
export interface Place {
  /** Holds all the rest, and belongs to whoever runs the command. */
  readonly directory: string;
  /** What an image may not touch; it would be allowed to, as far as the kernel is concerned. */
  readonly outside: string;
  /** DIRECTORY on the command line; absent at first. */
  readonly target: string;
}

/** A user, by number: there need not be a name for it. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  /** A command, with its arguments, that starts the user's programs in other surroundings. */
  readonly through?: readonly string[];
}

/** Makes a place whose files belong to the user, so that nothing but the program's care protects them. */
export function makePlace({ uid, gid }: User): Place {
  const directory = mkdtempSync(join(tmpdir(), "oci-unpack-hostile-"));
  const outside = join(directory, "outside");
  mkdirSync(join(outside, "folder"), { recursive: true });
  writeFileSync(join(outside, "secret"), "canary", { mode: 0o600 });
  writeFileSync(join(outside, "folder", "child"), "canary", { mode: 0o640 });
  writeFileSync(join(outside, "program"), "#!/bin/sh\n");
  symlinkSync("secret", join(outside, "link"));
  for (const name of ["secret", "folder", "folder/child"]) {
    if (setxattr(join(outside, name), "user.canary", "alive", 5, 0) < 0) throw new Error("cannot mark the canaries");
  }
  for (const name of ["", "outside", "outside/secret", "outside/folder", "outside/folder/child", "outside/program"]) {
    chownSync(join(directory, name), uid, gid);
  }
  chmodSync(join(outside, "program"), 0o4755);
  chmodSync(join(outside, "folder"), 0o751);
  chmodSync(directory, 0o755);
  for (const name of ["secret", "program", "folder/child", "folder"]) utimesSync(join(outside, name), 1234.5, 1234.5);
  lutimesSync(join(outside, "link"), 1234.5, 1234.5);
  utimesSync(outside, 1234.5, 1234.5);
  return { directory, outside, target: join(directory, "target") };
}

/** Content, mode, owner, times and extended attributes of everything that must stay as it is. */
export function canaries({ outside }: Place): Listing {
  return readTree(outside);
}
