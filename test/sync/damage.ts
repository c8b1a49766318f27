import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Random } from "../model/random.ts";
import { removeTree } from "../support/remove-tree.ts";

/** Does damage to a tree at one of its paths, or does nothing where it cannot be done. */
type Damage = (path: string, random: Random, outside: string) => void;

const onFile =
  (work: Damage): Damage =>
  (path, random, outside) => {
    if (lstatSync(path).isFile()) work(path, random, outside);
  };

const onDirectory =
  (work: Damage): Damage =>
  (path, random, outside) => {
    if (lstatSync(path).isDirectory()) work(path, random, outside);
  };

/** In the place of what is there. */
const replacing =
  (make: Damage): Damage =>
  (path, random, outside) => {
    removeTree(path);
    make(path, random, outside);
  };

const damages: Readonly<Record<string, Damage>> = {
  "a byte flipped": onFile((path) => {
    const { atime, mtime } = lstatSync(path);
    const bytes = readFileSync(path);
    if (bytes.length === 0) return;
    const last = bytes.length - 1;
    bytes[last] = (bytes[last] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    lutimesSync(path, atime, mtime);
  }),
  "made shorter": onFile((path) => truncateSync(path, Math.floor(lstatSync(path).size / 2))),
  "made longer": onFile((path) => appendFileSync(path, "more")),
  removed: removeTree,
  "another mode": (path, random) => {
    if (!lstatSync(path).isSymbolicLink()) chmodSync(path, random.oneOf([0o777, 0o4755, 0o700]));
  },
  "another time": (path) => lutimesSync(path, 5, 1_234_567_890),
  "a new file": onDirectory((path) => writeFileSync(join(path, "new"), "new")),
  "new directories": onDirectory((path) => mkdirSync(join(path, "new1/new2"), { recursive: true })),
  "a new link that leads out": onDirectory((path, _random, outside) => symlinkSync(outside, join(path, "way-out"))),
  "a new name of what is outside": onDirectory((path, _random, outside) =>
    linkSync(join(outside, "secret"), join(path, "secret-name")),
  ),
  "a link that leads out": replacing((path, _random, outside) => symlinkSync(outside, path)),
  "a link to a file outside": replacing((path, _random, outside) => symlinkSync(join(outside, "secret"), path)),
  "a name of what is outside": replacing((path, _random, outside) => linkSync(join(outside, "program"), path)),
  "a file": replacing((path) => writeFileSync(path, "file")),
  "a directory": replacing((path) => {
    mkdirSync(path);
    writeFileSync(join(path, "in"), "it");
  }),
  "a fifo": replacing((path) => execFileSync("mkfifo", [path])),
  "a copy of itself": onFile((path) => {
    const copy = join(dirname(path), "copy");
    execFileSync("cp", ["--archive", path, copy]);
    renameSync(copy, path);
  }),
  "a name of its neighbour": onFile((path, random) => {
    const neighbour = neighbourOf(path, random);
    if (neighbour === path || !lstatSync(neighbour).isFile()) return;
    removeTree(path);
    linkSync(neighbour, path);
  }),
  "swapped with its neighbour": (path, random) => {
    const neighbour = neighbourOf(path, random);
    if (neighbour === path) return;
    const away = join(dirname(path), "away");
    renameSync(path, away);
    renameSync(neighbour, path);
    renameSync(away, neighbour);
  },
};

/** What only root can do. */
const rootDamages: Readonly<Record<string, Damage>> = {
  "another owner": (path) => execFileSync("chown", ["--no-dereference", "1000:5", path]),
  "a device": replacing((path) => execFileSync("mknod", [path, "c", "1", "3"])),
  "an attribute": onFile((path) => execFileSync("setfattr", ["-n", "user.damage", "-v", "1", path])),
  "an overlay's attribute": onDirectory((path) =>
    execFileSync("setfattr", ["-n", "trusted.overlay.opaque", "-v", "y", path]),
  ),
  "a default access-control list": onDirectory((path) => execFileSync("setfacl", ["-dm", "u:1000:rwx", path])),
};

/** Damages a tree at random, once or several times, and says how. What may be linked to lies in `outside`. */
export function damaged(root: string, outside: string, random: Random): string {
  const all = process.getuid?.() === 0 ? { ...damages, ...rootDamages } : damages;
  const told = random.many(1, 6, () => {
    const path = random.oneOf(below(root));
    const [what, damage] = random.oneOf(Object.entries(all));
    if (isOutside(path, outside)) return `${path.slice(root.length)}: nothing, it is a name of what is outside`;
    damage(path, random, outside);
    return `${path.slice(root.length)}: ${what}`;
  });
  return told.join("\n");
}

function neighbourOf(path: string, random: Random): string {
  return join(dirname(path), random.oneOf(readdirSync(dirname(path)).filter(isText)));
}

function isText(name: string): boolean {
  return !name.includes("\ufffd");
}

/** Whether a path is a name of a file outside, which nobody may damage. */
function isOutside(path: string, outside: string): boolean {
  return readdirSync(outside).some((name) => lstatSync(join(outside, name)).ino === lstatSync(path).ino);
}

/** All paths below a directory, but for those that are no UTF-8; no link is followed. */
function below(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (!isText(entry.name)) return [];
    return entry.isDirectory() ? [path, ...below(path)] : [path];
  });
}
