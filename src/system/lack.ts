import { platform } from "node:process";
import { isOciUnpackError, OciUnpackError } from "../base/errors.ts";

/** Why nothing here can call Linux: this is another system, or koffi is not there. */
export class Lack {
  /** A clause. */
  readonly reason: string;
  /** How to get it. */
  readonly remedy: string;

  private constructor(reason: string, remedy: string) {
    this.reason = reason;
    this.remedy = remedy;
  }

  static readonly otherSystem = new Lack(`this is ${platform}`, "use Linux, for instance in a virtual machine");

  static readonly noKoffi = new Lack(
    "koffi, which calls Linux from Node, is not there",
    "install oci-unpack with its optional dependencies (npm install --include=optional)",
  );
}

/** What keeps this program from calling Linux, as far as that can be told without loading koffi. */
export function lackOfLinux(): Lack | undefined {
  if (platform !== "linux") return Lack.otherSystem;
  return isKoffiInstalled() ? undefined : Lack.noKoffi;
}

/** Loads something that calls Linux. Where that cannot be, says why. */
export async function fromLinux<Calls>(load: () => Promise<Calls>): Promise<Calls | Lack> {
  if (platform !== "linux") return Lack.otherSystem;
  try {
    return await load();
  } catch (error) {
    if (isOciUnpackError(error) && error.code === "UNSUPPORTED_SYSTEM") return Lack.noKoffi;
    throw error;
  }
}

/** Whether Linux can be called. It is tried, which takes some milliseconds. */
export async function canCallLinux(): Promise<boolean> {
  return !((await fromLinux(() => import("./linux-thread.ts"))) instanceof Lack);
}

/** Throws `UNSUPPORTED_SYSTEM` where Linux cannot be called. `attempted` is an infinitive. */
export function insistOnLinux(attempted: string): void {
  const lack = lackOfLinux();
  if (lack === undefined) return;
  throw new OciUnpackError(
    "UNSUPPORTED_SYSTEM",
    `cannot ${attempted}: that takes system calls of Linux, and ${lack.reason}`,
    {
      hint: `${lack.remedy}; without it, \`exportRootfs\` writes the root filesystem as a tar archive`,
    },
  );
}

/**
 * Where this is bundled as CommonJS, as the command is, `import.meta` is empty. `require` is everywhere after `node -e`, and
 * looks elsewhere there. Some bundlers leave nothing that resolves names; then a thread tells when it is loaded.
 * Bun's `import.meta.resolve` is a method that has to be called as one.
 */
function isKoffiInstalled(): boolean {
  const resolve =
    import.meta.resolve?.bind(import.meta) ?? (typeof require === "function" ? require.resolve : undefined);
  if (typeof resolve !== "function") return true;
  try {
    resolve("koffi");
    return true;
  } catch {
    return false;
  }
}
