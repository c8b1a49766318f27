import { createRequire } from "node:module";
import type * as Koffi from "koffi";
import { OciUnpackError } from "../base/errors.ts";
import { errnos } from "./errno.ts";

/** The result of a system call: 0 or more, or its negated errno if it failed. */
export type Result = number;

/** The C types of parameters. Memory is passed without a copy. */
export type CType = "int" | "long" | "uint32_t" | "const void*" | "void*";

type Argument = number | Uint8Array | null;

const koffi = loaded();
const libc = koffi.load(null);

/**
 * Loads koffi. Its native code is a package for each processor, which is often missing when `node_modules` was copied.
 */
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
 * Declares a function of the C library that returns -1 and sets errno if it fails. When a signal interrupts it, it is
 * called again.
 *
 * Variadic functions (`openat`, `prctl`, `syscall`) are declared with the parameters that they are called with. On
 * Linux, x86-64 and arm64 pass these in the same registers.
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

/**
 * Declares a C function that is not called again after a signal interrupted it: `close` has closed the file even then.
 */
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
