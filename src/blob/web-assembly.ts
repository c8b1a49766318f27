import { OciUnpackError } from "../base/errors.ts";

/** The part of WebAssembly that is used here; Node's types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: object };
  readonly RuntimeError: new (message: string) => Error;
};

/**
 * Synchronously makes an instance of a module, which is embedded as base64, and returns its exports. Throws
 * `OUT_OF_RESOURCES` where the process may not reserve the 10 GiB of addresses that V8 puts around an instance's memory, or
 * a module, which has no other reason to fail at its start, gets no more memory.
 */
export function instantiated(module: string, imports: object = {}): object {
  const compiled = new WebAssembly.Module(Buffer.from(module, "base64"));
  try {
    return new WebAssembly.Instance(compiled, imports).exports;
  } catch (cause) {
    const isForMemory = cause instanceof RangeError || cause instanceof WebAssembly.RuntimeError;
    if (!isForMemory) throw cause;
    const message = "cannot decompress: this process may not have as much memory as WebAssembly takes";
    throw new OciUnpackError("OUT_OF_RESOURCES", message, { hint: "allow more virtual memory: ulimit -v", cause });
  }
}
