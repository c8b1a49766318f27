import { createRequire } from "node:module";
import type * as Koffi from "koffi";
import { OciUnpackError } from "../base/errors.ts";
import { errnos } from "./errno.ts";

/** What a system call gave: a number from 0 on, or, where it failed, its errno negated. Nothing is thrown on the way. */
export type Result = number;

/** The types of C that are needed here. Memory is passed as it is, shared or not, and must stay alive during the call. */
export type CType = "int" | "long" | "uint32_t" | "const void*" | "void*";

type Argument = number | Uint8Array | null;

const koffi = loaded();
const libc = koffi.load(null);

/** Its part in machine code is a package of its own for each processor, and easily lost where `node_modules` is copied. */
function loaded(): typeof Koffi {
  try {
    // A worker's code is bundled as CommonJS, where there is no import.meta.
    return createRequire(typeof __filename === "string" ? __filename : import.meta.url)("koffi");
  } catch (cause) {
    const { platform, arch } = process;
    throw new OciUnpackError(
      "UNSUPPORTED_SYSTEM",
      `cannot call Linux from Node: the native part of koffi for ${platform}-${arch} cannot be loaded`,
      {
        hint: "install oci-unpack on this machine with npm, optional dependencies included, instead of copying it",
        cause,
      },
    );
  }
}

/**
 * A function of the C library that answers -1 and errno where it fails; one that a signal interrupts is called again.
 *
 * Variadic functions (`openat`, `prctl`, `syscall`) are declared with the parameters they are called with: on Linux
 * both x86-64 and arm64 pass those in the same registers either way.
 */
export function declare<Arguments extends readonly Argument[]>(
  name: string,
  parameters: readonly CType[],
  result: "int" | "long" = "int",
): (...args: Arguments) => Result {
  const once = declareOnce<Arguments>(name, parameters, result);
  return (...args) => {
    for (;;) {
      const answer = once(...args);
      if (answer !== -errnos.EINTR) return answer;
    }
  };
}

/** The same for what must not be called again: an interrupted `close` has closed. */
export function declareOnce<Arguments extends readonly Argument[]>(
  name: string,
  parameters: readonly CType[],
  result: "int" | "long" = "int",
): (...args: Arguments) => Result {
  const native = libc.func(name, result, [...parameters]) as (...args: Arguments) => number;
  return (...args) => {
    const answer = native(...args);
    return answer === -1 ? -koffi.errno() : answer;
  };
}
