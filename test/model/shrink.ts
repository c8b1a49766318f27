import type { Member, Stack } from "./member.ts";

/**
 * The smallest stack that still fails, as far as leaving things out gets: whole layers, then entries, then all that an
 * entry says beyond the least.
 */
export function shrunk(stack: Stack, fails: (stack: Stack) => boolean): Stack {
  for (const smaller of smallerStacks(stack)) if (fails(smaller)) return shrunk(smaller, fails);
  return stack;
}

function* smallerStacks(stack: Stack): Generator<Stack> {
  for (const [index, layer] of stack.entries()) {
    yield stack.toSpliced(index, 1);
    const next = stack[index + 1];
    if (next !== undefined) yield stack.toSpliced(index, 2, [...layer, ...next]);
    for (const position of layer.keys()) yield stack.with(index, layer.toSpliced(position, 1));
  }
  for (const [index, layer] of stack.entries()) {
    for (const [position, member] of layer.entries()) {
      for (const simpler of simplerMembers(member)) yield stack.with(index, layer.with(position, simpler));
    }
  }
}

/** What an entry says when it says nothing in particular. */
const least = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtime: { seconds: 1, nanoseconds: 0 },
  xattrs: new Map(),
  content: "",
};

function* simplerMembers(member: Member): Generator<Member> {
  for (const [key, value] of Object.entries(least) as [keyof typeof least, never][]) {
    if (!isEqual(member[key], value)) yield { ...member, [key]: value };
  }
  for (const key of ["path", "target"] as const) {
    for (const simpler of simplerPaths(member[key])) yield { ...member, [key]: simpler };
  }
}

/** Always fewer characters, so that shrinking ends. */
function* simplerPaths(path: string): Generator<string> {
  const names = path.split("/");
  if (names.length < 2) return;
  for (const index of names.keys()) {
    const simpler = names.toSpliced(index, 1).join("/");
    if (simpler !== "") yield simpler;
  }
}

function isEqual(one: unknown, other: unknown): boolean {
  const text = (value: unknown) => JSON.stringify(value instanceof Map ? [...value] : value);
  return text(one) === text(other);
}
