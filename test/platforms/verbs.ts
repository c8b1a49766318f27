import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Outcome } from "../support/command.ts";
import { type Blob, type Image, image, jsonBlob, layer } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { directory, file, hardlink, symlink, tar } from "../support/tar-builder.ts";

/** Runs the command somewhere. */
export type Run = (args: readonly string[], input?: string) => Promise<Outcome>;

/** Something that the command does, and what has to come of it. */
export interface Verb {
  /** As the table calls it. */
  readonly name: string;
  /** Throws where it does not work. `place` has the images, and room for what is made. */
  readonly works: (run: Run, place: string) => Promise<void>;
}

const one = "./layout:one";
const platform = ["-p", "linux/amd64"];

/** What makes no files of the image's kind on the machine. */
export const portableVerbs: readonly Verb[] = [
  says("inspect", ["inspect", one], /sha256:[0-9a-f]{64}/),
  says("ls", ["ls", one, "etc"], /etc\/motd\n/),
  says("cat", ["cat", one, "etc/motd"], /^hello\n$/),
  says("diff", ["diff", one, "oci:./layout:two"], /etc\/motd/),
  says("history", ["history", one], /L1/),
  says("signatures", ["signatures", one], /^/),
  makes("--output tar", ["--output", "tar", "-o", "out.tar", one], "out.tar", /etc\/motd/),
  makes("--output layout", ["--output", "layout", "-o", "copy", one], "copy/index.json", /sha256/),
  makes("--output oci-archive", ["--output", "oci-archive", "-o", "oci.tar", one], "oci.tar", /index\.json/),
  makes("--output docker-archive", ["--output", "docker-archive", "-o", "docker.tar", one], "docker.tar", /manifest/),
  {
    name: "--output files",
    async works(run, place) {
      const target = join(place, "files");
      succeeded(await run(["--output", "files", "oci:./layout:files", target, "-q"]));
      assert.equal(readFileSync(join(target, "files/model.bin"), "utf8"), "a model\n");
      assert.equal(readFileSync(join(target, "files/docs/link"), "utf8"), "a page\n");
      assert.equal(readFileSync(join(target, "files/docs/further"), "utf8"), "a page\n");
      assert.equal(statSync(join(target, "files/docs/page")).mode & 0o777, 0o640);
      assert.equal(statSync(join(target, "files/docs/page")).mtimeMs, 1_000_000_000_000);
      assert.deepEqual((await readdir(target)).sort(), ["files", "manifest.json"]);
    },
  },
  {
    name: "login, logout",
    async works(run, place) {
      const own = join(place, "login");
      await mkdir(own, { mode: 0o700 });
      const authFile = join(own, "auth.json");
      const login = ["login", "--no-verify", "-u", "ada", "--password-stdin", "--authfile", authFile, "registry.test"];
      succeeded(await run(login, "s3cret\n"));
      assert.match(readFileSync(authFile, "utf8"), /registry\.test/);
      succeeded(await run(["logout", "--authfile", authFile, "registry.test"]));
    },
  },
  {
    name: "store list, verify, prune",
    async works(run, place) {
      const store = ["--store", join(place, "store")];
      succeeded(await run(["ls", ...platform, ...store, "-q", `oci:${one}`]));
      assert.match(succeeded(await run(["store", "list", ...store])).stdout, /sha256:/);
      succeeded(await run(["store", "verify", ...store]));
      succeeded(await run(["store", "prune", "--max-size", "0", ...store]));
    },
  },
];

/** What takes system calls of Linux. */
export const linuxVerbs: readonly Verb[] = [
  makes("unpack", [one, "root"], "root/rootfs/etc/motd", /^hello\n$/),
  makes("--output overlay", ["--output", "overlay", one, "overlay"], "overlay/layers/0/diff/etc/motd", /^hello\n$/),
  {
    name: "verify, sync",
    async works(run) {
      succeeded(await run(["verify", "root", `oci:${one}`, "-q"]));
      succeeded(await run(["sync", ...platform, "root", `oci:${one}`, "-q"]));
    },
  },
];

/** Writes the images that the verbs are tried with. */
export async function writeImages(place: string): Promise<void> {
  const archive = (text: string) =>
    tar(directory("etc"), file("etc/motd", text), file("bin/sh", "#!", { mode: 0o755 }));
  const page = file("page", "a page\n", { mode: 0o640 });
  const docs = layer(tar(page, symlink("link", "page"), hardlink("further", "page")), "gzip");
  const caseless = layer(tar(file("README", "1"), file("readme", "2")), "gzip");
  const model = layer(Buffer.from("a model\n"), "plain");
  await mkdir(place, { recursive: true });
  await writeImageLayout(join(place, "layout"), [
    { tag: "one", images: [image([archive("hello\n")])] },
    { tag: "two", images: [image([archive("hello!\n")])] },
    { tag: "files", images: [artifact({ "model.bin": model }, { docs })] },
    { tag: "caseless", images: [artifact({}, { docs: caseless })] },
  ]);
}

type Blobs = Readonly<Record<string, Blob>>;

/** An artifact that has these files and these directories. */
function artifact(files: Blobs, directories: Blobs): Image {
  const title = "org.opencontainers.image.title";
  const config = jsonBlob("application/vnd.oci.empty.v1+json", {});
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const layers = [
    ...Object.entries(files).map(([name, { descriptor }]) => ({
      ...descriptor,
      mediaType: "application/octet-stream",
      annotations: { [title]: name },
    })),
    ...Object.entries(directories).map(([name, { descriptor }]) => ({
      ...descriptor,
      annotations: { [title]: name, "io.deis.oras.content.unpack": "true" },
    })),
  ];
  const artifactType = "application/vnd.example";
  const manifest = jsonBlob(mediaType, {
    schemaVersion: 2,
    mediaType,
    artifactType,
    config: config.descriptor,
    layers,
  });
  return { ...image([]), manifest, config, layers: [...Object.values(files), ...Object.values(directories)] };
}

/** Runs the command in a directory, by a program before it. */
export function running(program: readonly string[], directory: string, env: NodeJS.ProcessEnv = {}): Run {
  return (args, input = "") => {
    const [command = "", ...before] = program;
    const named = args.map((arg) => (arg === one ? `oci:${one}` : arg));
    const home = { HOME: directory, TMPDIR: process.env.TMPDIR ?? "/tmp" };
    const child = spawn(command, [...before, ...named], {
      cwd: directory,
      env: { PATH: process.env.PATH, ...home, ...env },
    });
    const said = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        said[stream] += text;
      });
    }
    child.stdin.on("error", () => {}).end(input);
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (status, signal) => {
        resolve({ status: status ?? undefined, signal: signal ?? undefined, ...said });
      });
    });
  };
}

function says(name: string, args: readonly string[], expected: RegExp): Verb {
  return {
    name,
    async works(run) {
      const outcome = await run([...args, ...platform]);
      // `diff` has 1 for images that differ.
      if (name !== "diff") succeeded(outcome);
      assert.match(outcome.stdout, expected, outcome.stderr);
    },
  };
}

function makes(name: string, args: readonly string[], path: string, expected: RegExp): Verb {
  return {
    name,
    async works(run, place) {
      succeeded(await run([...args, ...platform, "-q"]));
      assert.match(readFileSync(join(place, path), "latin1"), expected);
    },
  };
}

function succeeded(outcome: Outcome): Outcome {
  assert.equal(outcome.status, 0, outcome.stderr);
  return outcome;
}
