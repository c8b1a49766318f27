import { readdirSync, readFileSync, rmSync } from "node:fs";

/*
 * Removes the declarations from `dist` that those of `index.ts` do not lead to: of the command, of the threads and of what
 * is inside. Nobody can import these, so nobody needs them in the package.
 */
const dist = new URL("../dist/", import.meta.url);
const needed = new Set();
follow(new URL("index.d.ts", dist));
for (const name of readdirSync(dist, { recursive: true })) {
  const file = new URL(name, dist);
  if (name.endsWith(".d.ts") && !needed.has(file.href)) rmSync(file);
}

function follow(file) {
  if (needed.has(file.href)) return;
  needed.add(file.href);
  for (const [, path] of readFileSync(file, "utf8").matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g)) {
    follow(new URL(`${path}.d.ts`, file));
  }
}
