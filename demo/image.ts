import { type Image, image as imageOf } from "../test/support/image.ts";
import { device, directory, file, hardlink, opaque, symlink, tar, whiteout } from "../test/support/tar-builder.ts";

/** A layer of the demonstration's image, and what there is to notice about it. */
export interface DemoLayer {
  readonly title: string;
  readonly entries: readonly DemoEntry[];
}

export interface DemoEntry {
  /** Of what is there afterwards; of what is hidden, for a whiteout. */
  readonly path: string;
  readonly archived: Uint8Array;
  /** What to notice, for entries that deserve it. */
  readonly note?: string;
  /** Whether the entry hides what lower layers have: the path itself, or everything in that directory. */
  readonly hides?: "path" | "contents";
}

/** Four layers, as the steps of a build would leave them: a base, programs, a clean-up, the application. */
export const demoLayers: readonly DemoLayer[] = [
  {
    title: "a small system",
    entries: [
      { path: "etc", archived: directory("etc") },
      { path: "etc/motd", archived: file("etc/motd", "Nothing to see here.\n") },
      { path: "etc/hostname", archived: file("etc/hostname", "lighthouse\n") },
      { path: "usr/bin", archived: directory("usr/bin") },
      { path: "usr/bin/greet", archived: file("usr/bin/greet", program("greet", "Ahoy!"), { mode: 0o755 }) },
      { path: "bin", archived: symlink("bin", "usr/bin"), note: "symbolic link" },
      { path: "var/log/boot.log", archived: file("var/log/boot.log", noise(90_000)) },
      { path: "var/log/lamp.log", archived: file("var/log/lamp.log", noise(400_000)) },
      { path: "var/cache/charts.tar", archived: file("var/cache/charts.tar", noise(3_000_000)) },
    ],
  },
  {
    title: "programs",
    entries: [
      {
        path: "usr/bin/lamp",
        archived: file("usr/bin/lamp", program("lamp", "The lamp is lit."), { mode: 0o4755 }),
        note: "set-user-ID is kept",
      },
      {
        path: "usr/bin/hello",
        archived: hardlink("usr/bin/hello", "usr/bin/greet", { mode: 0o755 }),
        note: "hard link to layer 1's greet",
      },
      { path: "usr/share/charts/coast", archived: file("usr/share/charts/coast", noise(2_500_000)) },
      { path: "usr/share/charts/latest", archived: symlink("usr/share/charts/latest", "/usr/share/charts/coast") },
      { path: "dev/lamp", archived: device("dev/lamp", "character", [42, 0]), note: "device node" },
      { path: "run", archived: directory("run", { mode: 0o1777 }), note: "sticky, for everybody" },
    ],
  },
  {
    title: "cleaning up",
    entries: [
      { path: "var/cache/charts.tar", archived: whiteout("var/cache/charts.tar"), hides: "path" },
      { path: "var/log", archived: opaque("var/log"), hides: "contents" },
      {
        path: "var/log/keeper.log",
        archived: file("var/log/keeper.log", "The old logs are gone, this one stays.\n"),
        note: "by the layer that emptied the directory",
      },
    ],
  },
  {
    title: "the application",
    entries: [
      { path: "etc/motd", archived: file("etc/motd", "Welcome to the lighthouse.\n"), note: "replaces layer 1's" },
      { path: "srv/log book", archived: file("srv/log book", "Calm sea.\n", { mtime: -86_400 }), note: "from 1969" },
    ],
  },
];

/** The image as a registry stores it, for this machine's platform. */
export function demoImage(): Image {
  const archives = demoLayers.map(({ entries }) => tar(...entries.map(({ archived }) => archived)));
  return imageOf(archives, {
    platform: { os: "linux", architecture: architectures[process.arch] ?? process.arch },
    config: { config: { Env: ["PATH=/usr/bin:/bin"], Cmd: ["/usr/bin/hello"] } },
  });
}

/** Go's names for processors, which images use, where they differ from Node's. */
const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  mipsel: "mipsle",
  ppc64: "ppc64le",
};

function program(name: string, says: string): string {
  return `#!/bin/sh\n# ${name}\necho "${says}"\n`;
}

/** Bytes that no compressor makes smaller, the same in every run (xorshift32). */
function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = size;
  for (let index = 0; index < size; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}
