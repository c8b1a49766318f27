/** The little of it that is needed here; Node's types say nothing of it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: object };
};

/** Makes an instance of a module that is embedded in base64, at once, and gives what it exports. */
export function instantiated(module: string, imports: object = {}): object {
  return new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(module, "base64")), imports).exports;
}
