import { join } from "node:path";
import type { UnpackOptions } from "../../src/index.ts";
import type { Program } from "./as-user.ts";
import type { HostileCase } from "./case.ts";
import type { Library } from "./library.ts";
import type { Place, User } from "./place.ts";

/** How an attempt ended: "contained", or the code of an error; and all that was printed. */
export interface Ending {
  readonly word: string;
  readonly printed: string;
}

/** A way to unpack a hostile image. */
export type Attempt = (hostile: HostileCase, reference: string, place: Place) => Promise<Ending>;

type Sandbox = UnpackOptions["sandbox"] & string;

/** Unpacks with the real command. From four threads on, several make the files. */
export function byCommand(program: Program, user: User, sandbox: Sandbox, threads: number): Attempt {
  return async ({ options = {}, args = [] }, reference, { directory, target }) => {
    const all = [
      "--sandbox",
      sandbox,
      "--threads",
      `${threads}`,
      "--platform",
      "linux/amd64",
      "--json",
      ...argumentsFor(options),
      ...args,
    ];
    const { status, stdout, stderr } = await program.run(user, [...all, reference, target], join(directory, "home"));
    const told = JSON.parse(stdout) as { readonly error?: { readonly code?: string } };
    const word = status === 0 ? "contained" : (told.error?.code ?? `exit status ${status}`);
    return { word, printed: stdout + stderr };
  };
}

/** Unpacks with the library. */
export function byLibrary(library: Library, sandbox: Sandbox, threads: number): Attempt {
  return async ({ options }, reference, { target }) => {
    const { word, message } = await library.unpack(reference, target, {
      platform: "linux/amd64",
      sandbox,
      threads,
      ...options,
    });
    return { word, printed: message };
  };
}

function argumentsFor({ limits = {}, devices, keepDirlinks, bundle }: UnpackOptions): string[] {
  return [
    ...Object.entries(limits).flatMap(([name, value]) => ["--limit", `${name}=${value}`]),
    ...(devices === undefined ? [] : ["--devices", devices]),
    ...(keepDirlinks === true ? ["--keep-dirlinks"] : []),
    ...(bundle === true ? ["--bundle"] : []),
  ];
}
