import { readFile, writeFile } from "node:fs/promises";

/*
 * Puts zstd's own decoder, as the package zstddec has it in WebAssembly, into a source file: so it is found wherever that
 * file's module is, as one of the tests or in a bundle, and nobody has to open another file.
 *
 * The package gives its module away as a data URL, which it would fetch. What it does around it is of no use here: it is
 * asynchronous, and goes on for ever with data that are malformed.
 */
const directory = import.meta.dirname;
const embedded = `${directory}/../src/blob/zstd-module.ts`;
const needed = ["memory", "malloc", "ZSTD_createDCtx", "ZSTD_freeDCtx", "ZSTD_decompressStream"];

const binary = await fetchedBy(async () => {
  const { ZSTDDecoder } = await import("zstddec/stream");
  await new ZSTDDecoder().init();
});
const exported = new Set(WebAssembly.Module.exports(new WebAssembly.Module(binary)).map(({ name }) => name));
const missing = needed.filter((name) => !exported.has(name));
if (missing.length > 0) throw new Error(`cannot embed the decoder of zstd: it does not export ${missing.join(", ")}`);

const license = await readFile(new URL("../LICENSE", import.meta.resolve("zstddec/stream")), "utf8");
await writeFile(
  embedded,
  `/*!
zstd's decoder and the package zstddec:

${license.trim()}
*/

/** WebAssembly, from the package zstddec, put here by \`npm run build:zstd\`, in base64. */
export const zstdModule =
  "${binary.toString("base64")}";
`,
);

/** What a data URL holds that is fetched meanwhile. */
async function fetchedBy(work) {
  const { fetch } = globalThis;
  let fetched = "";
  globalThis.fetch = async (url) => {
    fetched = String(url);
    throw new Error("it is not needed any more");
  };
  await work().catch(() => {});
  globalThis.fetch = fetch;
  return Buffer.from(fetched.slice(fetched.indexOf(",") + 1), "base64");
}
