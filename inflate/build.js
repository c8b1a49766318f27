import { writeFile } from "node:fs/promises";
import { main } from "assemblyscript/asc";

/*
 * Compiles the inflater to WebAssembly, and puts it into a source file: so it is found wherever that file's module is, as
 * one of the tests or in a bundle, and nobody has to open another file.
 */
const directory = import.meta.dirname;
const embedded = `${directory}/../src/blob/inflate-module.ts`;

const options = "-O3 --converge --runtime stub --noAssert --enable simd --outFile inflate.wasm".split(" ");
let binary;
const { error, stderr } = await main(["index.ts", "--baseDir", directory, ...options], {
  writeFile(_name, contents) {
    binary = contents;
  },
});
if (error !== null || binary === undefined) throw new Error(`cannot compile the inflater: ${stderr}`, { cause: error });

await writeFile(
  embedded,
  `/** WebAssembly, compiled from \`inflate/\` by \`npm run build:inflate\`, in base64. */
export const inflateModule =
  "${Buffer.from(binary).toString("base64")}";
`,
);
