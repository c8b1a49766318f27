import { parentPort, workerData } from "node:worker_threads";
import { RingReader } from "../../src/worker/ring.ts";

// The reading thread of ring.test.ts: posts a checksum of each of two streams.
const reader = new RingReader(workerData, () => parentPort?.postMessage("space"));
for (let stream = 0; stream < 2; stream += 1) {
  let sum = 0;
  for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) {
    for (const byte of chunk) sum = (sum * 31 + byte) >>> 0;
  }
  parentPort?.postMessage(sum);
}
