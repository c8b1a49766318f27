import { mkdir, readFile, writeFile } from "node:fs/promises";
import { manualPages } from "../src/cli/manual/manual-pages.ts";

/*
 * Writes the pages of the manual into the package, from the repository's root. Their date is that of the build, or what
 * https://reproducible-builds.org/specs/source-date-epoch/ says.
 */
const directory = "dist/man";

const { version } = JSON.parse(await readFile("package.json", "utf8"));
const { SOURCE_DATE_EPOCH: seconds } = process.env;
const date = seconds === undefined ? new Date() : new Date(Number(seconds) * 1000);

await mkdir(directory, { recursive: true });
for (const [name, page] of manualPages({ version, date })) await writeFile(`${directory}/${name}`, page);
