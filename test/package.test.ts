import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { commandNames } from "../src/cli/command-table.ts";
import { manualName } from "../src/cli/manual/help-text.ts";
import { outcomeOf, output } from "./support/command.ts";
import { image, stored } from "./support/image.ts";
import { writeImageLayout } from "./support/image-layout.ts";
import { startRegistry } from "./support/registry-double.ts";
import { repositoryFile } from "./support/repository.ts";
import { scratch } from "./support/scratch.ts";
import { file, tar } from "./support/tar-builder.ts";

const repository = fileURLToPath(repositoryFile(""));
const bundler = join(repository, "node_modules/.bin/esbuild");
const compiler = join(repository, "node_modules/.bin/tsc");

let project = "";
let packed: readonly string[] = [];
let unreachable: string | undefined;

before(async () => {
  assert.ok(existsSync(join(repository, "dist/cli/main.js")), "run npm run build first");
  project = await mkdtemp(join(tmpdir(), "oci-unpack-package-"));
  // Without scripts: the package was built already, and other tests may be using what was built.
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", project];
  const [tarball] = JSON.parse(await output("npm", pack, { directory: repository }));
  packed = tarball.files.map(({ path }: { path: string }) => path);
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  unreachable = await installed(join(project, tarball.filename));
});

after(() => rm(project, { recursive: true, force: true }));

test("the package has what is needed to run it and to read about it, and nothing else", () => {
  const allowed = [
    /^dist\/(?:index|cli\/(?:main|run|usual-run)|chunks\/[\w-]+)\.js(?:\.map)?$/,
    /^dist\/cli\/package\.json$/,
    /^dist\/man\/[\w-]+\.1$/,
    /^dist\/threads\/[\w-]+-worker\.cjs$/,
    /^dist\/(?!cli\/|threads\/).*\.d\.ts$/,
    /^docs\/(?:[\w-]+\.(?:md|svg)|schema\/[\w-]+\.json)$/,
    /^bench\/[\w-]+\.(?:md|svg)$/,
    /^(?:(?:ARCHITECTURE|CHANGELOG|CONTRIBUTING|README|SECURITY|THIRD-PARTY-NOTICES)\.md|LICENSE|package\.json)$/,
  ];
  const surplus = packed.filter((path) => !allowed.some((pattern) => pattern.test(path)));
  assert.deepEqual(surplus, []);
  for (const path of [
    "dist/index.js",
    "dist/index.d.ts",
    "dist/cli/main.js",
    "dist/cli/package.json",
    "README.md",
    "LICENSE",
    "THIRD-PARTY-NOTICES.md",
    "docs/errors.md",
    "docs/schema/unpack.json",
  ]) {
    assert.ok(packed.includes(path), path);
  }
});

test("the package has a manual's page for each command, where npm looks for them", async () => {
  const { man } = JSON.parse(await readFile(join(repository, "package.json"), "utf8"));
  const pages = commandNames.map((command) => `dist/man/${manualName(command)}.1`);
  assert.deepEqual(
    man,
    pages.map((page) => `./${page}`),
  );
  assert.deepEqual(packed.filter((path) => path.endsWith(".1")).sort(), pages.sort());
});

test("the package has the declarations that its own lead to, and no others", async () => {
  const declarations = packed.filter((path) => path.endsWith(".d.ts"));
  const named = new Set(["dist/index.d.ts"]);
  for (const path of declarations) {
    const text = await readFile(join(repository, path), "utf8");
    for (const [, target = ""] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g))
      named.add(`${join(path, "..", target)}.d.ts`);
  }
  assert.deepEqual(declarations.sort(), [...named].sort());
});

test("what is somebody else's in the package has its licence there", async () => {
  const notices = await readFile(join(repository, "THIRD-PARTY-NOTICES.md"), "utf8");
  const license = await readFile(join(repository, "node_modules/zstddec/LICENSE"), "utf8");
  assert.ok(notices.includes(license.trim()));
  // Beside the decoder, which is embedded, a bundle has nothing but src/.
  assert.match(await readFile(join(repository, "bundle.js"), "utf8"), /^ {2}packages: "external",$/m);
  const maps = packed.filter((path) => path.endsWith(".js.map"));
  assert.ok(maps.length > 2);
  for (const path of maps) {
    const { sources } = JSON.parse(await readFile(join(repository, path), "utf8"));
    assert.deepEqual(
      sources.filter((source: string) => !/^(?:\.\.\/)+src\//.test(source)),
      [],
    );
  }
});

test("what the package's documents link to is in the package", async () => {
  const missing: string[] = [];
  for (const page of packed.filter((path) => path.endsWith(".md"))) {
    const text = await readFile(join(repository, page), "utf8");
    for (const [, link = ""] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^\w+:/.test(link)) continue;
      const path = join(page, "..", link);
      if (!packed.includes(path)) missing.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(missing, []);
});

test("an error that nobody catches is told on a screen, with a stack that names lines", async () => {
  const program = `import { unpack } from ${JSON.stringify(join(repository, "dist/index.js"))}; await unpack("a b", "x");`;
  const { status, stderr } = await outcomeOf(process.execPath, ["--input-type=module", "--eval", program]);
  assert.equal(status, 1);
  assert.match(stderr, /cannot parse the reference "a b"/);
  assert.ok(stderr.length < 4000, `${stderr.length} characters`);
  const mapped = ["--enable-source-maps", "--input-type=module", "--eval", program];
  assert.match((await outcomeOf(process.execPath, mapped)).stderr, /src\/oci\/reference\.ts:\d+/);
});

test("CommonJS requires the library where Node lets it", {
  skip:
    "require_module" in process.features && process.features.require_module === true
      ? false
      : "this Node has no require(esm)",
}, async () => {
  const program = 'console.log(require("oci-unpack").parseReference("debian").registry)';
  const flags = ["--no-warnings", "--input-type=commonjs"];
  assert.equal(await output(process.execPath, [...flags, "--eval", program], { directory: repository }), "docker.io\n");
});

test("a bundler leaves the library external, and one that does not is told at the first thread", async () => {
  await using place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [image([tar(file("hello", ""))])] }]);
  await mkdir(join(place.directory, "node_modules"));
  await symlink(repository, join(place.directory, "node_modules/oci-unpack"));
  const program = `import { list } from "oci-unpack";
    const options = { sandbox: "prefer", platform: "linux/amd64" };
    list(process.argv[2], "/", options).then(({ entries }) => console.log(entries.length), ({ hint }) => console.log(hint));`;
  await writeFile(join(place.directory, "main.mjs"), program);
  const told = async (format: "esm" | "cjs", ...flags: readonly string[]) => {
    const bundle = join(place.directory, format === "esm" ? "bundle.mjs" : "bundle.cjs");
    const bundling = ["--bundle", "--platform=node", `--format=${format}`, "--log-level=error", `--outfile=${bundle}`];
    await output(bundler, [...bundling, ...flags, "main.mjs"], { directory: place.directory });
    return await output(process.execPath, [bundle, `oci:${layout}:x`], { directory: place.directory });
  };
  const hint = "a bundler has to leave the package `oci-unpack` external, to be loaded from node_modules\n";
  assert.equal(await told("esm", "--external:oci-unpack"), "1\n");
  assert.equal(await told("esm"), hint);
  assert.equal(await told("cjs"), hint);
});

test("the installed package type-checks in a strict project, its declarations included", async (context) => {
  if (unreachable !== undefined) return context.skip(unreachable);
  const options = {
    ...{ module: "nodenext", target: "es2023", lib: ["es2023", "esnext.disposable"], strict: true, noEmit: true },
    ...{ skipLibCheck: false, types: ["node"], typeRoots: [join(repository, "node_modules/@types")] },
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["main.ts"] }));
  await writeFile(
    join(project, "main.ts"),
    `import { type ErrorCode, isOciUnpackError, parseReference, unpack, type UnpackResult } from "oci-unpack";
     const result: UnpackResult = await unpack("x", "y", { onEvent: (event) => console.log(event.type) });
     const code: ErrorCode | undefined = isOciUnpackError(result) ? result.code : undefined;
     console.log(code, parseReference("debian").registry);
     // @ts-expect-error: options are checked
     await unpack("x", "y", { sandbox: "maybe" });`,
  );
  const { status, stdout } = await outcomeOf(compiler, ["-p", project]);
  assert.equal(stdout, "");
  assert.equal(status, 0);
});

test("security 19: the installed package unpacks an image, without any install script having run", async (context) => {
  if (unreachable !== undefined) return context.skip(unreachable);
  await using registry = await startRegistry();
  const reference = stored(registry, "app", image([tar(file("hello", "from the package"))]));
  await writeFile(
    join(project, "main.js"),
    `import { unpack } from "oci-unpack";
     const { rootfs } = await unpack(process.argv[2], "unpacked", { sandbox: "prefer", platform: "linux/amd64" });
     console.log(rootfs);`,
  );
  const rootfs = (await output(process.execPath, ["main.js", reference], { directory: project })).trim();
  assert.equal(await readFile(join(rootfs, "hello"), "utf8"), "from the package");
});

test("the installed package finds unchanged what it unpacked", async (context) => {
  if (unreachable !== undefined) return context.skip(unreachable);
  await using registry = await startRegistry();
  const reference = stored(registry, "app", image([tar(file("hello", "from the package"))]));
  await writeFile(
    join(project, "verify.js"),
    `import { unpack, verify } from "oci-unpack";
     const options = { sandbox: "prefer", platform: "linux/amd64" };
     await unpack(process.argv[2], "verified", { ...options, mtree: "verified.mtree" });
     console.log((await verify("verified", process.argv[2], options)).differenceCount);`,
  );
  assert.equal(await output(process.execPath, ["verify.js", reference], { directory: project }), "0\n");
  assert.match(await readFile(join(project, "verified.mtree"), "utf8"), /^\.\/hello type=file /m);
});

test("npx runs the command of the installed package", async (context) => {
  if (unreachable !== undefined) return context.skip(unreachable);
  const { version } = JSON.parse(await readFile(join(repository, "package.json"), "utf8"));
  const printed = await output("npx", ["--no-install", "oci-unpack", "--version"], { directory: project });
  assert.equal(printed, `${version}\n`);
  await using registry = await startRegistry();
  const reference = stored(registry, "app", image([tar(file("hello", "by npx"))]));
  const unpacking = ["-p", "linux/amd64", "--sandbox", "prefer", "--quiet", reference, "by-npx"];
  await output("npx", ["--no-install", "oci-unpack", ...unpacking], { directory: project });
  assert.equal(await readFile(join(project, "by-npx/rootfs/hello"), "utf8"), "by npx");
});

/** Installs a tarball into the project; gives the reason where no registry for its dependencies can be reached. */
async function installed(tarball: string): Promise<string | undefined> {
  await mkdir(join(project, "node_modules"));
  const install = ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball];
  const { status, stderr } = await outcomeOf("npm", install, { directory: project });
  if (status === 0) return undefined;
  if (/EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|ENOTCACHED/.test(stderr)) {
    return "no npm registry can be reached: the package cannot be installed";
  }
  return assert.fail(`npm install failed: ${stderr}`);
}
