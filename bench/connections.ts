import { parseArgs } from "node:util";
import { dockerRegistry } from "../test/support/docker-registry.ts";
import { startNginx } from "../test/support/nginx.ts";
import { requireTools } from "../test/support/tools.ts";
import { chosen } from "./chosen.ts";
import { download, ours, oursInParallel } from "./contenders.ts";
import { benchImage, corpus } from "./corpus.ts";
import { loopback } from "./links.ts";
import { machine } from "./machine.ts";
import { interleaved } from "./measure.ts";
import { tmpfs } from "./places.ts";
import { recipes } from "./recipes.ts";
import { writeSection } from "./results.ts";
import { table } from "./table.ts";

/*
 * What several connections for one blob are good for: `npm run connections`.
 *
 * They are off by default as long as this shows a loss where nothing limits a connection.
 */

const { values: flags } = parseArgs({
  options: {
    parts: { type: "string", default: "limited,unlimited" },
    image: { type: "string", default: "toolchain" },
    rounds: { type: "string", default: "3" },
  },
});

const rounds = Number(flags.rounds);

const parts: Readonly<Record<string, () => Promise<string>>> = {
  limited: () => ranges("20 MB/s for each connection", ["limit_rate 20m;"]),
  unlimited: () => ranges("No limit", []),
};

const run = chosen(Object.keys(parts), (part) => part, flags.parts);
requireTools("docker-registry", "skopeo", "time", "curl", "nginx");
const paragraphs: string[] = [];
for (const part of run) {
  const text = (await parts[part]?.()) ?? "";
  console.log(`${text}\n`);
  paragraphs.push(text);
}
const isWhole = run.length === Object.keys(parts).length && flags.image === "toolchain";
if (isWhole) await writeSection("Connections", [await machine(), ...paragraphs].join("\n\n"));

/** One connection, several, and curl, through an nginx that may limit each connection. */
async function ranges(title: string, lines: readonly string[]): Promise<string> {
  const { storage } = await corpus((line) => console.error(line));
  const [recipe] = chosen(recipes, ({ name }) => name, flags.image);
  if (recipe === undefined) throw new Error("no image is chosen");
  await using registry = await dockerRegistry({ storage });
  const proxying = [`proxy_pass http://${registry.host};`, "proxy_max_temp_file_size 0;", "proxy_http_version 1.1;"];
  await using nginx = await startNginx(new Map(), [...proxying, ...lines]);
  const image = await benchImage(nginx.host, recipe);
  const runs = await interleaved([ours, oursInParallel, download], image, rounds, { link: loopback, place: tmpfs });
  return `${title}:\n\n${table(image, runs)}`;
}
