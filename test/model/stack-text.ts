import type { Member, Stack } from "./member.ts";

/** A stack as one would write it down for a new rule, with the archive builder's words. */
export function stackText(stack: Stack): string {
  const layers = stack.map(
    (layer) => `  tar(\n${layer.map((member) => `    ${memberText(member)},\n`).join("")}  ),\n`,
  );
  return `[\n${layers.join("")}]`;
}

function memberText(member: Member): string {
  const { type, path, target, content, device } = member;
  const attributes = attributesText(member);
  switch (type) {
    case "file":
      return call("file", [quoted(path), quoted(content), ...attributes]);
    case "directory":
    case "fifo":
      return call(type, [quoted(path), ...attributes]);
    case "symlink":
    case "hardlink":
      return call(type, [quoted(path), quoted(target), ...attributes]);
    default:
      return call("device", [quoted(path), quoted(type), `[${device.replace(":", ", ")}]`, ...attributes]);
  }
}

function call(name: string, given: readonly string[]): string {
  return `${name}(${given.join(", ")})`;
}

function attributesText({ mode, uid, gid, mtime, xattrs }: Member): string[] {
  const said = [
    `mode: 0o${mode.toString(8)}`,
    ...(uid === 0 ? [] : [`uid: ${uid}`]),
    ...(gid === 0 ? [] : [`gid: ${gid}`]),
    `mtime: { seconds: ${mtime.seconds}, nanoseconds: ${mtime.nanoseconds} }`,
    ...(xattrs.size === 0 ? [] : [`xattrs: ${JSON.stringify(Object.fromEntries(xattrs))}`]),
  ];
  return [`{ ${said.join(", ")} }`];
}

/** One character for each byte, as the model has it; what is not ASCII is written as an escape. */
function quoted(text: string): string {
  const escaped = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  return escaped.replace(/[\x7f-\xff]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`);
}
