import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

/*
 * Makes what is shipped of what is compiled: the library, the command, and the threads' code.
 *
 *     dist/index.js + chunks/   ES modules, for programs
 *     dist/cli/*.js             CommonJS, each a file of its own: `main.js`, `usual-run.js` with what is done most, and
 *                               `run.js` with everything
 *     dist/threads/*.cjs        CommonJS, each a file of its own
 *
 * With `test` it makes the code of the tests' threads likewise, in the place of what is compiled: a thread starts in four
 * fifths of the processor time, and tests start thousands of them.
 */
const { version } = JSON.parse(await readFile("package.json", "utf8"));
const shared = {
  bundle: true,
  platform: "node",
  target: "node20.18",
  packages: "external",
  outbase: "src",
  outdir: "dist",
  logLevel: "warning",
  define: { packageVersion: JSON.stringify(version) },
};
const commonJS = { ...shared, format: "cjs", logOverride: { "empty-import-meta": "silent" } };
const threads = { ...commonJS, minifySyntax: true, minifyWhitespace: true };
const isCommonJS = '{ "type": "commonjs" }\n';

if (process.argv[2] === "test") {
  const inPlace = { outbase: "build", outdir: "build", allowOverwrite: true };
  await build({ ...threads, ...inPlace, entryPoints: ["build/src/threads/*-worker.js"] });
  await writeFile("build/src/threads/package.json", isCommonJS);
} else {
  await build({
    ...shared,
    entryPoints: ["src/index.ts"],
    format: "esm",
    sourcemap: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
  });
  await build({
    ...commonJS,
    entryPoints: ["src/cli/main.ts", "src/cli/usual-run.ts", "src/cli/run.ts"],
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: true,
    // `require` in place of `import()`, so that Node does not start its loader of ES modules.
    supported: { "dynamic-import": false },
    plugins: [{ name: "apart", setup: keepRunApart }],
  });
  await writeFile("dist/cli/package.json", isCommonJS);
  await build({ ...threads, entryPoints: ["src/threads/*-worker.ts"], outExtension: { ".js": ".cjs" } });
}

/** The command's files load each other when they are needed, and do not contain each other. */
function keepRunApart({ onResolve }) {
  onResolve({ filter: /^\.\/(usual-)?run\.ts$/ }, ({ kind, path }) =>
    kind === "dynamic-import" ? { path: path.replace(/\.ts$/, ".js"), external: true } : undefined,
  );
}
