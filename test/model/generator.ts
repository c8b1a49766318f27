import type { Member, Stack } from "./member.ts";
import { isObjection, modelled } from "./model.ts";
import { Random } from "./random.ts";

/**
 * A stack of layers that is as nasty as it can be while mostly staying legal: few names, so that entries meet; links
 * through links; everything replaced by everything; whiteouts before and after what they hide.
 */
export function randomStack(seed: number): Stack {
  const random = new Random(seed);
  const paths: string[] = [];
  const layers = random.many(1, 4, () => random.many(1, 9, () => randomMember(random, paths)));
  return random.chance(0.93) ? withoutObjections(layers) : layers;
}

/** Takes out the entries that would end everything, since a stack that is refused, or that no rule speaks of, tells little. */
function withoutObjections(stack: Stack): Stack {
  try {
    modelled(stack);
    return stack;
  } catch (error) {
    if (!isObjection(error)) throw error;
    return withoutObjections(stack.map((layer) => layer.filter((member) => member !== error.member)));
  }
}

const kinds = {
  file: 30,
  directory: 18,
  symlink: 14,
  hardlink: 14,
  whiteout: 16,
  opaque: 6,
  fifo: 2,
  "character-device": 1,
  root: 1,
  reserved: 1,
} as const;

function randomMember(random: Random, paths: string[]): Member {
  const kind = random.weighted(kinds);
  const path = kind !== "hardlink" && paths.length > 0 && random.chance(0.4) ? random.oneOf(paths) : randomPath(random);
  if (kind === "whiteout") return { ...plainFile, path: written(random, whiteoutOf(path)) };
  if (kind === "opaque") return { ...plainFile, path: random.oneOf([path, path, path, "."]).concat("/.wh..wh..opq") };
  if (kind === "reserved") return { ...plainFile, path: randomReserved(random, path) };
  const attributes = randomAttributes(random);
  if (kind === "root") return { ...plainFile, ...attributes, type: "directory", path: random.oneOf(["./", "/", "."]) };
  paths.push(path);
  const member = { ...plainFile, ...attributes, type: kind, path: written(random, path) };
  if (kind === "directory") return { ...member, path: `${member.path}/`, xattrs: randomXattrs(random) };
  if (kind === "file") return { ...member, content: randomContent(random), xattrs: randomXattrs(random) };
  if (kind === "symlink") return { ...member, target: randomTarget(random, paths) };
  if (kind === "hardlink")
    return { ...member, target: written(random, random.chance(0.9) ? random.oneOf(paths) : randomPath(random)) };
  return kind === "character-device" ? { ...member, device: "1:3" } : member;
}

/** An empty file without a name. */
export const plainFile: Member = {
  type: "file",
  path: "",
  target: "",
  content: "",
  device: "",
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
  xattrs: new Map(),
};

const names = ["a", "b", "c", "d"];

/** Names that some program or other got wrong: not UTF-8, not printable, almost special, as long as names get. */
const oddNames = [
  "\xff\xfe",
  "caf\xc3\xa9",
  "cafe\xcc\x81",
  "A",
  "new\nline",
  "back\\slash",
  "C:",
  "...",
  " ",
  "-rf",
  ".wh",
  "wh.a",
  "tab\t",
  "\x1b[31m",
  "n".repeat(255),
];

function randomPath(random: Random): string {
  return random.many(1, 3, () => (random.chance(0.06) ? random.oneOf(oddNames) : random.oneOf(names))).join("/");
}

/** The same path, spelled as one tool or other spells it (T11–T13). */
function written(random: Random, path: string): string {
  if (random.chance(0.8)) return path;
  const way = random.below(5);
  if (way === 0) return `./${path}`;
  if (way === 1) return `/${path}`;
  if (way === 2) return path.replaceAll("/", "//");
  if (way === 3) return path.replaceAll("/", "/./");
  return `${random.oneOf(names)}/../${path}`;
}

function whiteoutOf(path: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}.wh.${path.slice(slash, slash + 251)}`;
}

function randomReserved(random: Random, path: string): string {
  return random.oneOf([
    ".wh..wh.aufs",
    ".wh..wh.orph/x",
    ".wh..wh.plnk/1.2",
    `${path}/.wh.a/b`,
    ".wh.",
    ".wh..",
    "../a",
    "",
  ]);
}

function randomTarget(random: Random, paths: readonly string[]): string {
  const path = random.chance(0.7) ? random.oneOf(paths) : randomPath(random);
  return random.oneOf([path, `/${path}`, `../${path}`, `../../${path}`, "..", ".", "/", `./${path}/`, `/../${path}`]);
}

function randomContent(random: Random): string {
  if (random.chance(0.1)) return "";
  return random.chance(0.05) ? "z".repeat(random.below(20_000)) : `${random.below(10_000)}`;
}

function randomXattrs(random: Random): ReadonlyMap<string, string> {
  if (random.chance(0.8)) return new Map();
  return new Map(random.many(1, 2, () => [`user.${random.oneOf(names)}`, random.oneOf(["", "1", "\x00\xff=\n"])]));
}

function randomAttributes(random: Random): Pick<Member, "mode" | "uid" | "gid" | "mtime"> {
  return {
    mode: random.oneOf([0o644, 0o755, 0o4755, 0o2755, 0o1777, 0o600, 0o555, 0]),
    uid: random.oneOf([0, 0, 1, 1000, 2 ** 31, 2 ** 32 - 2]),
    gid: random.oneOf([0, 0, 5, 1000, 2 ** 32 - 2]),
    mtime: {
      seconds: random.oneOf([0, 1, -1, 1_000_000_000, 1_700_000_000 + random.below(1000), -86_400, 2 ** 33]),
      nanoseconds: random.oneOf([0, 0, 1, 999_999_999, 500_000_000]),
    },
  };
}
