import { built } from "../support/building.ts";
import { file } from "../support/entries.ts";

/* Builds many directories in turns, in the given one, and prints what is there. */

const [, , within = ""] = process.argv;
const names = Array.from({ length: 200 }, (_, index) => `d${index}`);
using rootfs = built(
  [["a", "b"].flatMap((name) => names.map((directory) => file(`${directory}/${name}`, directory)))],
  {
    within,
  },
);
const types = Object.values(rootfs.tree).map(({ type }) => type);
const count = (wanted: string) => types.filter((type) => type === wanted).length;
process.stdout.write(`${count("file")} files in ${count("directory") - 1} directories\n`);
