import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";

/*
 * Compiles the inflater to WebAssembly, and puts it into source files: so it is found wherever their modules are, as some
 * of the tests or in a bundle, and nobody has to open another file. What was compiled from the same source is kept.
 */
const modules = [
  { entry: "index.ts", embedded: "inflate-module.ts", name: "inflateModule" },
  { entry: "ahead.ts", embedded: "ahead-module.ts", name: "aheadModule" },
];
const directory = import.meta.dirname;

const options = "-O3 --converge --runtime stub --noAssert --enable simd --outFile inflate.wasm".split(" ");
const compiler = createRequire(import.meta.url)("assemblyscript/package.json").version;
const hash = createHash("sha256").update(`${compiler} ${options.join(" ")}`);
for (const name of (await readdir(directory)).sort()) hash.update(name).update(await readFile(`${directory}/${name}`));
const origin = `// Of the source with the digest ${hash.digest("hex")}.`;

for (const { entry, embedded, name } of modules) {
  const file = `${directory}/../src/blob/${embedded}`;
  if ((await readFile(file, "utf8").catch(() => "")).includes(origin)) continue;
  await writeFile(
    file,
    `${origin}

/** WebAssembly, compiled from \`inflate/${entry}\` by \`npm run build:inflate\`, in base64. */
export const ${name} =
  "${Buffer.from(await compiled(entry)).toString("base64")}";
`,
  );
}

async function compiled(entry) {
  const { main } = await import("assemblyscript/asc");
  let binary;
  const { error, stderr } = await main([entry, "--baseDir", directory, ...options], {
    writeFile(_name, contents) {
      binary = contents;
    },
  });
  if (error !== null || binary === undefined)
    throw new Error(`cannot compile the inflater: ${stderr}`, { cause: error });
  return binary;
}
