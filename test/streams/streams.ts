import { parseArgs } from "node:util";
import { problemsOfStreams, weights } from "./generator.ts";
import { assertUnpacksLikeTar } from "./images.ts";

// npm run streams -- [--count N] [--layers N] [--seed S]
//
// Compares what the product makes of compressed streams with what went into them, as zlib sees it: what comes out, where
// the stream ends and what is read next. With --layers it unpacks images of so many layers
// instead, and compares them with what `gzip -d` and GNU tar make of them. Ends with status 1 where something is otherwise.

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    layers: { type: "string", default: "0" },
    seed: { type: "string", default: String(Date.now() % 2 ** 20) },
  },
});
const seed = Number(values.seed);
const startedAt = performance.now();
const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(0);

if (values.layers === "0") readStreams(Number(values.count));
else await unpackLayers(Number(values.layers));

function readStreams(count: number): void {
  let done = 0;
  for (const problem of problemsOfStreams(count, seed, weights)) {
    if (problem !== undefined) {
      console.error(`stream ${done} of --seed ${seed}: ${problem}`);
      process.exit(1);
    }
    done += 1;
    if (done % 50_000 === 0) console.error(`${done} streams in ${seconds()} s`);
  }
  console.log(`${done} streams are read as they are, in ${seconds()} s (--seed ${seed})`);
}

/** In images of 50; one in ten is made by a tool, or several, and one by umoci. */
async function unpackLayers(count: number): Promise<void> {
  let done = 0;
  for (let number = 0; done < count; number += 1) {
    const layers = Math.min(50, count - done);
    const maker = ({ 8: "tools", 9: "umoci" } as const)[number % 10] ?? "zlib";
    await assertUnpacksLikeTar(maker, layers, seed + number);
    done += layers;
    if (number % 10 === 9) console.error(`${done} layers in ${seconds()} s`);
  }
  console.log(`${done} layers become what gzip -d and GNU tar make of them, in ${seconds()} s (--seed ${seed})`);
}
