/** The part of WebAssembly that is used here; Node's types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: object };
};

/** Synchronously makes an instance of a module, which is embedded as base64, and returns its exports. */
export function instantiated(module: string, imports: object = {}): object {
  return new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(module, "base64")), imports).exports;
}
