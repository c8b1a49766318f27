import { execFileSync } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { unpack } from "../../src/index.ts";
import { footprint } from "./footprint.ts";

// A host that has not used Node's thread pool when it calls the library: the case in which a confined thread could be
// the one that starts the pool, and so confine all that the host does with files ever after.

const [reference = "", directory = "", elsewhere = ""] = process.argv.slice(2);
const meanwhile: Promise<number>[] = [];

const before = footprint();
await unpack(reference, directory, {
  platform: "linux/amd64",
  sandbox: "require",
  onEvent: () => void meanwhile.push(modeOfNewFile(join(elsewhere, `meanwhile-${meanwhile.length}`))),
});
const after = footprint();

const report: HostReport = {
  unchanged: withoutPool(before),
  found: withoutPool(after),
  modesMeanwhile: [...new Set(await Promise.all(meanwhile))],
  modeAfterwards: await modeOfNewFile(join(elsewhere, "afterwards")),
  hostname: await readFile("/etc/hostname", "utf8"),
  fromThread: await fromThread(join(elsewhere, "from-thread")),
  fromProcess: execFileSync("cat", ["/etc/hostname"], { encoding: "utf8" }),
};
process.stdout.write(JSON.stringify(report));

/** What a host saw of itself and of the world, around an unpacking. */
export interface HostReport {
  readonly unchanged: object;
  readonly found: object;
  readonly modesMeanwhile: readonly number[];
  readonly modeAfterwards: number;
  readonly hostname: string;
  readonly fromThread: string;
  readonly fromProcess: string;
}

/** The pool's threads and descriptors stay for as long as the process does; all the rest must be as before. */
function withoutPool({ directory, umask, signals, environment }: ReturnType<typeof footprint>): object {
  return { directory, umask, signals, environment };
}

async function modeOfNewFile(path: string): Promise<number> {
  await mkdir(`${path}.d`);
  await writeFile(path, "written");
  return (await stat(path)).mode & 0o777;
}

/** A thread that the host starts later is as free as the host. */
function fromThread(path: string): Promise<string> {
  const program = `
    const fs = require("node:fs");
    const { parentPort, workerData } = require("node:worker_threads");
    fs.writeFileSync(workerData, "written");
    fs.promises.readFile(workerData, "utf8").then((text) => parentPort.postMessage(text));
  `;
  return new Promise((resolve, reject) => {
    const thread = new Worker(program, { eval: true, workerData: path });
    thread.once("message", resolve).once("error", reject);
  });
}
