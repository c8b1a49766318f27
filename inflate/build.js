import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

/*
 * Compiles the inflater to WebAssembly, and puts it into a source file: so it is found wherever that file's module is, as
 * one of the tests or in a bundle, and nobody has to open another file. What was compiled from the same source is kept.
 */
const directory = import.meta.dirname;
const embedded = `${directory}/../src/blob/inflate-module.ts`;

const options = "-O3 --converge --runtime stub --noAssert --enable simd --outFile inflate.wasm".split(" ");
const compiler = createRequire(import.meta.url)("assemblyscript/package.json").version;
const hash = createHash("sha256").update(`${compiler} ${options.join(" ")}`);
for (const name of (await readdir(directory)).sort()) hash.update(name).update(await readFile(`${directory}/${name}`));
const origin = `// Of the source with the digest ${hash.digest("hex")}.`;
if ((await readFile(embedded, "utf8").catch(() => "")).includes(origin)) process.exit();

const { main } = await import("assemblyscript/asc");
let binary;
const { error, stderr } = await main(["index.ts", "--baseDir", directory, ...options], {
  writeFile(_name, contents) {
    binary = contents;
  },
});
if (error !== null || binary === undefined) throw new Error(`cannot compile the inflater: ${stderr}`, { cause: error });

await writeFile(
  embedded,
  `${origin}

/** WebAssembly, compiled from \`inflate/\` by \`npm run build:inflate\`, in base64. */
export const inflateModule =
  "${Buffer.from(binary).toString("base64")}";
`,
);
