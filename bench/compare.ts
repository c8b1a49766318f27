import { parseArgs } from "node:util";
import { dockerRegistry } from "../test/support/docker-registry.ts";
import { requireTools } from "../test/support/tools.ts";
import { chosen } from "./chosen.ts";
import { contenders, furtherContenders } from "./contenders.ts";
import { type BenchImage, benchImage, corpus } from "./corpus.ts";
import { gigabit, loopback } from "./links.ts";
import { machine, versions } from "./machine.ts";
import { interleaved, type Runs } from "./measure.ts";
import { ext4, tmpfs } from "./places.ts";
import { recipes } from "./recipes.ts";
import { type Title, writeSection } from "./results.ts";
import { secondTimes, secondTimeTable } from "./second-time.ts";
import { startUp } from "./start-up.ts";
import { table } from "./table.ts";
import { linkTargets, memoryTargets, type Target, targetRows, targetTable } from "./targets.ts";

const { values: flags } = parseArgs({
  options: {
    parts: { type: "string", default: "memory,disk,link,start-up,second" },
    images: { type: "string" },
    contenders: { type: "string" },
    rounds: { type: "string", default: "5" },
    /** The program of the Rust crate, other Nodes, numbers of threads: a column for each. */
    crate: { type: "string" },
    nodes: { type: "string" },
    threads: { type: "string" },
    /** Where the disk is that ext4 is measured on. */
    disk: { type: "string", default: "/var/tmp" },
  },
});

/** A part of the corpus, or of the contenders, does not replace the results of the whole. */
const isWhole = flags.images === undefined && flags.contenders === undefined;
const chosenImages = chosen(recipes, ({ name }) => name, flags.images);
const further = await furtherContenders(flags);
const chosenContenders = [...chosen(contenders, ({ key }) => key, flags.contenders), ...further];
const rounds = Number(flags.rounds);

const parts: Readonly<Record<string, () => Promise<void>>> = {
  memory: () => compare("Loopback, tmpfs", () => Promise.resolve(loopback), tmpfs, memoryTargets),
  disk: () => compare("Loopback, ext4", () => Promise.resolve(loopback), ext4(flags.disk), []),
  link: () => compare("1 Gbit/s, tmpfs", gigabit, tmpfs, linkTargets),
  "start-up": () => compareStartUp("Start-up"),
  second: () => compareSecondTime("The second time"),
};

const run = chosen(Object.keys(parts), (part) => part, flags.parts);
requireTools("docker-registry", "skopeo", "time", "mkfs.ext4", "mount", "ip", "tc", "nsenter");
requireTools(...chosenContenders.flatMap(({ tools }) => tools));
const { storage } = await corpus((line) => console.error(line));
for (const part of run) await parts[part]?.();

async function compare(
  title: Title,
  open: typeof gigabit,
  place: typeof tmpfs,
  targets: readonly Target[],
): Promise<void> {
  await using link = await open();
  await using registry = await dockerRegistry({ storage, address: link.address });
  const results = new Map<BenchImage, Runs>();
  for (const recipe of chosenImages) {
    console.error(`${title}: ${recipe.name}`);
    const image = await benchImage(registry.host, recipe);
    const runs = await interleaved(chosenContenders, image, rounds, { link, place });
    console.log(`${table(image, runs)}\n`);
    results.set(image, runs);
  }
  const programs = [...new Set(chosenContenders.flatMap(({ tools }) => tools)), "docker-registry"];
  const method = `Medians of ${rounds} rounds after one that does not count; for memory, the most.`;
  const paragraphs = [await versions(programs), method, targetTable(targetRows(targets, results))];
  const tables = [...results].map(([image, runs]) => table(image, runs));
  await report(title, isWhole ? [...paragraphs, ...tables] : paragraphs);
}

async function compareStartUp(title: Title): Promise<void> {
  await using registry = await dockerRegistry({ storage });
  const [tiny] = recipes;
  if (tiny === undefined) throw new Error("the corpus is empty");
  await report(title, [await startUp(await benchImage(registry.host, tiny), 4 * rounds + 1)]);
}

/** What a store spares whoever does the same again. */
async function compareSecondTime(title: Title): Promise<void> {
  requireTools("mkfs.erofs", "mke2fs");
  await using registry = await dockerRegistry({ storage });
  const wanted = flags.images === undefined ? secondTimes.flatMap(({ atMost }) => Object.keys(atMost)) : undefined;
  const takes = secondTimes.flatMap(({ first, second }) => [first, second]);
  const results = new Map<BenchImage, Runs>();
  for (const recipe of chosenImages.filter(({ name }) => wanted?.includes(name) ?? true)) {
    console.error(`${title}: ${recipe.name}`);
    const image = await benchImage(registry.host, recipe);
    results.set(image, await interleaved(takes, image, rounds, { link: loopback, place: tmpfs }));
  }
  const method = `Medians of ${rounds} rounds after one that does not count, in a tmpfs.`;
  await report(title, [await versions(["mkfs.erofs", "docker-registry"]), method, secondTimeTable(results)]);
}

async function report(title: Title, paragraphs: readonly string[]): Promise<void> {
  const text = [await machine(), ...paragraphs].join("\n\n");
  if (isWhole) await writeSection(title, text);
  else console.log(text);
}
