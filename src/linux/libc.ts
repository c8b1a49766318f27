import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { arch, platform } from "node:process";
import type * as Koffi from "koffi";
import { OciUnpackError } from "../base/errors.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { errnos } from "./errno.ts";

/** The result of a system call: 0 or more, or its negated errno if it failed. */
export type Result = number;

/** The C types of parameters. Memory is passed without a copy. */
type CType = "int" | "long" | "uint32_t" | "const void*" | "void*";

type Argument = number | Uint8Array | null;

/** The release that package.json asks for. A program may have brought another one. */
const koffiVersion = "3.3.4";

const koffi = loaded();
const libc = koffi.load(null);

/**
 * Loads koffi. Its native code is a package for each processor, which is often missing when `node_modules` was copied.
 *
 * Where that package is found from here, it is loaded by itself: `load`, `func` and `errno` are its own. koffi's code
 * looks for it, and wraps what is not used here, which takes 4 to 6 ms of processor time in each thread.
 */
function loaded(): typeof Koffi {
  // A worker's code is bundled as CommonJS, where `import.meta` is empty. `__filename` is everywhere after `node -e`.
  const load = createRequire(import.meta.url ?? __filename);
  const native = nativeOf(load);
  if (native?.version === koffiVersion) return native;
  try {
    return load("koffi");
  } catch (cause) {
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

/** koffi's native code, if its package is where npm puts it. Other installers hide the packages that a package needs. */
function nativeOf(load: NodeJS.Require): typeof Koffi | undefined {
  try {
    return load(`@koromix/koffi-${platform}-${arch}`);
  } catch {
    return undefined;
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

/**
 * A buffer for names that are passed to system calls. It is used again for each name, so that a call allocates nothing.
 */
export class CString {
  // The kernel takes no path longer than 4095 bytes and its NUL.
  readonly #bytes = Buffer.alloc(4096);

  /** The name, ended by a NUL; valid until the next call. Throws if the name has a NUL, which would cut it. */
  of(name: ByteString): Uint8Array {
    if (name.includes("\0")) throw new RangeError("a name contains a NUL byte");
    if (name.length >= this.#bytes.length) return Buffer.from(`${name}\0`, "latin1"); // the kernel answers ENAMETOOLONG
    this.#bytes.write(name, 0, "latin1");
    this.#bytes[name.length] = 0;
    return this.#bytes;
  }
}

/**
 * Numbers of system calls for which not every C library has a function. From 424 on they are the same on all machines.
 */
export const calls = {
  landlockCreateRuleset: 444,
  landlockAddRule: 445,
  landlockRestrictSelf: 446,
  listxattrat: 465,
  openat2: 437,
  ...oldCalls(),
} as const;

function oldCalls(): { readonly getdents64: number; readonly statx: number; readonly renameat2: number } {
  if (arch === "x64") return { getdents64: 217, statx: 332, renameat2: 316 };
  return { getdents64: 61, statx: 291, renameat2: 276 }; // the generic table: arm64, riscv64, loong64
}
