import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { type ActionOutcome, performed, readAction } from "./support/action.ts";
import { outcomeOf } from "./support/command.ts";
import { image } from "./support/image.ts";
import { writeImageLayout } from "./support/image-layout.ts";
import { repositoryFile } from "./support/repository.ts";
import { type Scratch, scratch } from "./support/scratch.ts";
import { file, tar } from "./support/tar-builder.ts";

interface Job {
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const manifest = JSON.parse(await readFile(repositoryFile("package.json"), "utf8"));

describe("the action of a workflow", () => {
  test("unpacks an image, and tells its digest, where it is, and all that --json tells", async () => {
    await using place = await scratch();
    const inputs = {
      image: await layoutIn(place),
      directory: "un packed",
      options: "--sandbox prefer\n-p linux/amd64\n",
    };
    const { status, stderr, outputs } = await unpacked(place, inputs);
    assert.equal(status, 0, stderr);
    const directory = join(place.directory, "un packed");
    const result = JSON.parse(outputs.result ?? "");
    assert.deepEqual(outputs, {
      digest: result.digest,
      rootfs: join(directory, "rootfs"),
      config: join(directory, "config.json"),
      result: JSON.stringify(result),
    });
    assert.match(result.digest, /^sha256:[0-9a-f]{64}$/);
    assert.equal(await readFile(join(directory, "rootfs/motd"), "utf8"), "hello");
  });

  test("hands on what stands in an input as it is: nothing of it is run, and no name is an option or a command", async () => {
    const wicked = ["$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "'; touch pwned #", "--help", "*", "a\\tb"];
    for (const word of wicked) {
      await using place = await scratch();
      const { status, stderr } = await handedOn(place, {
        image: word,
        directory: word,
        options: `--limit ${word}\n${word}`,
      });
      assert.equal(status, 0, stderr);
      const own = word.includes(" ") ? [word.slice(0, word.indexOf(" ")), word.slice(word.indexOf(" ") + 1)] : [word];
      const args = (await readFile(join(place.directory, "arguments"), "utf8")).split("\0").slice(0, -1);
      assert.deepEqual(args, ["unpack", "--limit", word, ...own, "--json", "--", word, word]);
      assert.equal(existsSync(join(place.directory, "pwned")), false);
    }
  });

  test("tells no output that an input made up", async () => {
    await using place = await scratch();
    const rootfs = "/x\nrootfs<<END\n/etc\nEND\ndigest=none/rootfs";
    const { outputs } = await handedOn(
      place,
      { image: "x", directory: "x", options: "" },
      { rootfs, digest: "sha256:1" },
    );
    assert.deepEqual(outputs, {
      rootfs,
      digest: "sha256:1",
      config: "",
      result: JSON.stringify({ rootfs, digest: "sha256:1" }),
    });
  });

  test("fails as the command does", async () => {
    await using place = await scratch();
    const inputs = { image: `oci:${join(place.directory, "nowhere")}`, directory: "x", options: "" };
    const { status, stderr, outputs } = await unpacked(place, inputs);
    assert.equal(status, 1);
    assert.match(stderr, /^error: cannot .*nowhere/m);
    assert.equal(outputs.digest, "");
  });

  test("has no expression in a script, and each input in a variable of a step", async () => {
    const { inputs, runs } = await readAction();
    assert.equal(runs.using, "composite");
    assert.deepEqual(
      runs.steps.filter(({ run }) => run.includes("${{")),
      [],
    );
    const used = runs.steps.flatMap(({ env }) => Object.values(env));
    assert.deepEqual(
      used.sort(),
      Object.keys(inputs)
        .map((name) => `\${{ inputs.${name} }}`)
        .sort(),
    );
  });
});

describe("the workflows", async () => {
  const names = await readdir(repositoryFile(".github/workflows"));
  const texts = await Promise.all(names.map((name) => readFile(repositoryFile(`.github/workflows/${name}`), "utf8")));
  const workflows: readonly Workflow[] = texts.map((text) => parse(text));
  const jobs = workflows.flatMap(({ jobs }) => Object.values(jobs));
  const scripts = jobs.flatMap(({ steps }) => steps.flatMap(({ run = [] }) => run));

  test("name other people's actions by commit, and say which version that is", () => {
    const uses = texts.flatMap((text) => [...text.matchAll(/\buses: (.*)/g)].map(([, used = ""]) => used));
    const own = uses.filter((used) => used.startsWith("./"));
    assert.deepEqual(own, ["./"]);
    assert.deepEqual(
      uses.filter((used) => !own.includes(used) && !/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used)),
      [],
    );
    // One version of each, everywhere.
    assert.equal(new Set(uses).size, new Set(uses.map((used) => used.split("@")[0])).size);
  });

  test("have no expression in a script", () => {
    assert.ok(scripts.length > 8);
    assert.deepEqual(
      scripts.filter((script) => script.includes("${{")),
      [],
    );
  });

  test("may read at most, but for the jobs that publish, and these run nothing of the repository", () => {
    for (const { permissions } of workflows)
      assert.ok(["{}", '{"contents":"read"}'].includes(JSON.stringify(permissions)));
    const writing = jobs.filter(({ permissions = {} }) => Object.values(permissions).includes("write"));
    assert.equal(writing.length, 3);
    for (const { needs, steps } of writing) {
      assert.ok(needs !== undefined);
      assert.deepEqual(
        steps.filter(({ uses = "", run = "" }) => /checkout/.test(uses) || /npm (?:ci|install|run|test)/.test(run)),
        [],
      );
    }
  });

  test("publish with provenance, what was tested, and without a secret", () => {
    const publishing = scripts.filter((script) => /npm publish/.test(script));
    assert.equal(publishing.length, 1);
    assert.match(publishing[0] ?? "", /npm publish --provenance .*--ignore-scripts .*\.tgz/);
    assert.deepEqual(
      texts.filter((text) => /secrets\.|NODE_AUTH_TOKEN|NPM_TOKEN/.test(text)),
      [],
    );
  });

  test("run scripts and files that are there", () => {
    const run = scripts.flatMap((script) =>
      [...script.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = ""]) => name),
    );
    const files = scripts.flatMap((script) =>
      [...script.matchAll(/(?<!\S)(\.ci\/[\w.-]+)/g)].map(([, path = ""]) => path),
    );
    assert.deepEqual(
      run.filter((name) => !(name in manifest.scripts)),
      [],
    );
    assert.ok(run.length > 0 && files.length > 1);
    for (const path of files) assert.ok(existsSync(repositoryFile(path)), path);
  });
});

test("the forms for issues have what GitHub asks of them", async () => {
  const folder = ".github/ISSUE_TEMPLATE";
  const forms = (await readdir(repositoryFile(folder))).filter((name) => name !== "config.yml");
  assert.equal(forms.length, 2);
  for (const name of forms) {
    const form = parse(await readFile(repositoryFile(`${folder}/${name}`), "utf8"));
    assert.deepEqual(Object.keys(form), ["name", "description", "body"]);
    const asked = form.body.filter(({ type }: { type: string }) => type !== "markdown");
    for (const { type, attributes } of asked) assert.ok(type === "textarea" && attributes.label.length > 0, name);
    assert.equal(new Set(asked.map(({ id }: { id: string }) => id)).size, asked.length);
  }
});

test("where the project lives is said in package.json, and everything else agrees", async () => {
  const [, owner = ""] = /^git\+https:\/\/github\.com\/([\w-]+)\/oci-unpack\.git$/.exec(manifest.repository.url) ?? [];
  const home = `https://github.com/${owner}/oci-unpack`;
  assert.deepEqual([manifest.homepage, manifest.bugs], [`${home}#readme`, `${home}/issues`]);
  const others: string[] = [];
  let named = 0;
  for (const path of await textsOf(["", ".github", "docs", "src", "reference", "demo"])) {
    const text = await readFile(repositoryFile(path), "utf8");
    for (const [whole, one, two, three, version] of text.matchAll(
      /github\.com\/([\w-]+)\/oci-unpack\b|\b([\w-]+)\.github\.io\/oci-unpack\b|uses: ([\w-]+)\/oci-unpack@v([\w.-]*\w)/g,
    )) {
      named++;
      if ((one ?? two ?? three) !== owner) others.push(`${path}: ${whole}`);
      assert.equal(version ?? manifest.version, manifest.version, path);
    }
  }
  assert.ok(named > 5, `${named} places`);
  assert.deepEqual(others, []);
});

test("a release has a tag, a version and a dated heading that agree, or is refused", async () => {
  const notes = (tag: string) =>
    outcomeOf(process.execPath, [fileURLToPath(repositoryFile(".ci/release-notes.js")), tag]);
  const wrong = await notes("v0.0.0");
  assert.equal(wrong.status, 1);
  assert.equal(
    wrong.stderr,
    `cannot release: the tag is "v0.0.0", the version in package.json "${manifest.version}"\n`,
  );
  const changes = await readFile(repositoryFile("CHANGELOG.md"), "utf8");
  const heading = new RegExp(`^## ${manifest.version}, (.*)$`, "m").exec(changes);
  const own = await notes(`v${manifest.version}`);
  if (heading?.[1] === "not yet released") {
    assert.deepEqual([own.status, own.stdout], [1, ""]);
    assert.match(own.stderr, /^cannot release: CHANGELOG\.md has no date in "## .*, not yet released"\n$/);
  } else {
    assert.equal(own.status, 0, own.stderr);
    assert.ok(own.stdout.length > 0);
  }
});

/** Runs the action's own step, with the built command where the step before would have installed it. */
async function unpacked(place: Scratch, inputs: Readonly<Record<string, string>>): Promise<ActionOutcome> {
  await symlink(fileURLToPath(repositoryFile("dist/cli/main.js")), await commandIn(place));
  return unpackStep(place, inputs);
}

/** Runs it with a command that keeps its arguments, and tells a result. */
async function handedOn(
  place: Scratch,
  inputs: Readonly<Record<string, string>>,
  result: object = {},
): Promise<ActionOutcome> {
  await writeFile(join(place.directory, "result"), JSON.stringify(result));
  const script = `#!/usr/bin/env bash\nprintf '%s\\0' "$@" > arguments\ncat result\n`;
  await writeFile(await commandIn(place), script, { mode: 0o755 });
  return unpackStep(place, inputs);
}

async function commandIn(place: Scratch): Promise<string> {
  const commands = join(place.directory, "temporary/oci-unpack/node_modules/.bin");
  await mkdir(commands, { recursive: true });
  return join(commands, "oci-unpack");
}

function unpackStep({ directory }: Scratch, inputs: Readonly<Record<string, string>>): Promise<ActionOutcome> {
  return performed(["Unpack the image"], inputs, { workspace: directory, temporary: join(directory, "temporary") });
}

async function layoutIn(place: Scratch): Promise<string> {
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [image([tar(file("motd", "hello"))])] }]);
  return `oci:${layout}:x`;
}

/** The files that people and programs read in some folders of the repository, those below folders of `src` included. */
async function textsOf(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const recursive = folder === "src" || folder === ".github";
    for (const name of await readdir(repositoryFile(folder || "."), { recursive })) {
      if (/\.(?:md|yml|json|ts|js)$/.test(name)) found.push(join(folder, name));
    }
  }
  return found;
}
