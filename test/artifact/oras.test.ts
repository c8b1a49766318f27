import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { inspect, unpackArtifact } from "../../src/index.ts";
import { outcomeOf, output } from "../support/command.ts";
import { type DockerRegistry, dockerRegistry } from "../support/docker-registry.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

process.umask(0o022); // oras makes files by it

/** What the files of a tree are, in which times do not count: oras gives a file the time of the download. */
function filesIn(directory: string): object {
  const { ".": _, ...items } = readTree(directory);
  return Object.fromEntries(Object.entries(items).map(([path, { mtime: _, ...item }]) => [path, item]));
}

describe("artifacts that oras made", { skip: skipWithout("oras", "docker-registry") }, () => {
  let place: Scratch;
  let registry: DockerRegistry;
  let source: string;

  before(async () => {
    place = await scratch();
    registry = await dockerRegistry();
    source = join(place.directory, "source");
    mkdirSync(join(source, "dir/sub"), { recursive: true });
    mkdirSync(join(source, "weights"));
    writeFileSync(join(source, "one.txt"), "one\n");
    writeFileSync(join(source, "weights/two.bin"), Buffer.alloc(1_000_000, "two"), { mode: 0o644 });
    writeFileSync(join(source, "dir/run"), "#!/bin/sh\n", { mode: 0o755 });
    writeFileSync(join(source, "dir/.wh.run"), "no whiteout");
    writeFileSync(join(source, "dir/sub/größe"), "3");
    symlinkSync("sub/größe", join(source, "dir/link"));
  });

  after(async () => {
    await registry[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  function oras(command: string, ...args: readonly string[]): Promise<string> {
    return output("oras", [command, "--plain-http", ...args], { directory: source });
  }

  /** Pushes, fetches with both programs, and gives what there is in the end. */
  async function both(name: string, args: readonly string[]) {
    const reference = `${registry.host}/${name}:1`;
    await oras("push", reference, ...args);
    const theirs = join(place.directory, `${name}-theirs`);
    await oras("pull", "-o", theirs, reference);
    const ours = await unpackArtifact(reference, join(place.directory, name));
    return { ours: filesIn(ours.directory), theirs: filesIn(theirs), result: ours, reference };
  }

  test("files and directories are what oras makes of them, and what they were", async () => {
    const { ours, theirs, result, reference } = await both("several", ["one.txt", "weights/two.bin:a/b", "dir"]);
    assert.deepEqual(ours, theirs);
    const manifest = await output("oras", ["manifest", "fetch", "--plain-http", reference]);
    assert.equal(readFileSync(result.manifest, "utf8"), manifest);
    for (const path of ["one.txt", "weights/two.bin", "dir/run", "dir/.wh.run", "dir/sub/größe"]) {
      assert.deepEqual(readFileSync(join(result.directory, path)), readFileSync(join(source, path)));
    }
  });

  test("a chart as helm pushes it is its archive, and its metadata", async () => {
    const helm = "application/vnd.cncf.helm";
    const chart = ["--config", `one.txt:${helm}.config.v1+json`, `weights/two.bin:${helm}.chart.content.v1.tar+gzip`];
    const { ours, theirs, result } = await both("chart", chart);
    assert.deepEqual(ours, theirs);
    assert.equal(result.artifactType, `${helm}.config.v1+json`);
    assert.equal(readFileSync(result.config ?? "", "utf8"), "one\n");
  });

  test("a model's archives are the files that its paths name", async () => {
    const model = "application/vnd.cncf.model";
    const filePath = "org.cncf.model.filepath";
    await output("tar", ["--zstd", "-cf", "code.tar.zst", "dir"], { directory: source });
    await output("tar", ["-cf", "two.tar", "-C", "weights", "two.bin"], { directory: source });
    const annotations = {
      "one.txt": { [filePath]: "docs/README" },
      "two.tar": { [filePath]: "two.bin" },
      "code.tar.zst": { [filePath]: "dir" },
    };
    writeFileSync(join(source, "annotations.json"), JSON.stringify(annotations));
    const { result } = await both("model", [
      ...["--artifact-type", `${model}.manifest.v1+json`, "--config", `one.txt:${model}.config.v1+json`],
      ...["--annotation-file", "annotations.json"],
      ...[`one.txt:${model}.doc.v1.raw`, `two.tar:${model}.weight.v1.tar`, `code.tar.zst:${model}.code.v1.tar+zstd`],
    ]);
    const tree = readTree(result.directory);
    const paths = ["dir/.wh.run", "dir/link", "dir/run", "dir/sub", "dir/sub/größe", "docs", "docs/README", "two.bin"];
    assert.deepEqual(
      Object.keys(tree).map((path) => Buffer.from(path, "latin1").toString()),
      [".", "dir", ...paths],
    );
    assert.deepEqual(readFileSync(join(result.directory, "two.bin")), readFileSync(join(source, "weights/two.bin")));
  });

  test("what refers to an artifact is told by type, and is an artifact itself", async () => {
    const { reference } = await both("subject", ["one.txt"]);
    await oras("attach", "--artifact-type", "application/vnd.example.note", reference, "weights/two.bin:a/note");
    const { stdout } = await ociUnpack(["inspect", reference]);
    assert.match(stdout, /^kind +artifact$/m);
    const [, digest] = /^referrer +application\/vnd\.example\.note {2}(sha256:\w+)$/m.exec(stdout) ?? [];
    const note = await inspect(`${registry.host}/subject@${digest}`);
    assert.deepEqual(note.kind === "artifact" && note.files.map(({ name }) => name), ["weights/two.bin"]);
    const refused = await ociUnpack([reference, join(place.directory, "none")]);
    assert.match(refused.stderr, /hint: fetch it as files, with oci-unpack --output files ARTIFACT DIRECTORY/);
  });

  test("a bill of materials that cosign attached is its file", { skip: skipWithout("cosign") }, async () => {
    const { result } = await both("app", ["one.txt"]);
    const bill = join(source, "bill.json");
    writeFileSync(bill, '{"spdxVersion":"SPDX-2.3"}');
    const subject = `${registry.host}/app@${result.digest}`;
    const options = ["--allow-insecure-registry", "--allow-http-registry", "--type", "spdx", "--input-format", "json"];
    const attached = await outcomeOf("cosign", ["attach", "sbom", ...options, "--sbom", bill, subject]);
    assert.equal(attached.status, 0, attached.stderr);
    const name = `${registry.host}/app:${result.digest.replace(":", "-")}.sbom`;
    const target = join(place.directory, "bill");
    const { status, stderr } = await ociUnpack(["--output", "files", name, target]);
    assert.equal(status, 0, stderr);
    const [file = ""] = Object.keys(readTree(join(target, "files"))).slice(1);
    assert.match(file, /^[0-9a-f]{64}$/);
    assert.deepEqual(readFileSync(join(target, "files", file)), readFileSync(bill));
  });
});
