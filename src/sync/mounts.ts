import { readFile } from "node:fs/promises";

/**
 * A mount point at a path or below it, if there is one in this mount namespace. Without /proc none is found: whoever
 * walks through the directory is stopped at other file systems all the same.
 */
export async function mountedAt(path: string): Promise<string | undefined> {
  const text = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  const points = text.split("\n").map((line) => unescaped(line.split(" ")[4] ?? ""));
  return points.find((point) => point === path || point.startsWith(`${path}/`));
}

/** proc_pid_mountinfo(5): a space, a tab, a newline and a backslash are written in octal digits. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_whole, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
