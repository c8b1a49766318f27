import { parseArgs } from "node:util";
import { problemsOfStreams, weights } from "./generator.ts";

// npm run streams -- [--count N] [--seed S]
//
// Compares what the product makes of compressed streams with what went into them, as zlib sees it: what comes out, where
// the stream ends and what is read next. Ends with status 1 at the first one that is read otherwise.

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 20) },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);
const startedAt = performance.now();
const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(0);

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
