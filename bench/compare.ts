import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { dockerRegistry } from "../test/support/docker-registry.ts";
import { requireTools } from "../test/support/tools.ts";
import { contenders } from "./contenders.ts";
import { corpus, referenceOf, sizeOf } from "./corpus.ts";
import { machine } from "./machine.ts";
import { interleaved } from "./measure.ts";
import { recipes } from "./recipes.ts";
import { table } from "./table.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    images: { type: "string" },
  },
});

const say = (line: string) => console.error(line);
requireTools("docker-registry", "skopeo", "umoci", "time");
const { storage } = await corpus(say);
await using registry = await dockerRegistry({ storage });
const sections: string[] = [];
const names = values.images?.split(",") ?? recipes.map(({ name }) => name);
for (const recipe of recipes.filter(({ name }) => names.includes(name))) {
  say(`measuring ${recipe.name}`);
  const image = {
    gzip: referenceOf(registry.host, recipe, "gzip"),
    zstd: referenceOf(registry.host, recipe, "zstd"),
  };
  const section = table(
    recipe,
    (await sizeOf(image.gzip)) / 1e6,
    await interleaved(contenders, image, Number(values.rounds)),
  );
  console.log(section);
  sections.push(section);
}

// A part of the corpus does not replace the results of the whole.
if (values.images === undefined) {
  const target = fileURLToPath(new URL("../../bench/results.md", import.meta.url));
  const method = `Medians of ${values.rounds} rounds after one that does not count; tmpfs target, registry on loopback.`;
  await writeFile(target, `# Results\n\n${await machine()}\n\n${method}\n\n${sections.join("\n")}`);
  say(`wrote ${target}`);
}
