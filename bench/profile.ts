import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { dockerRegistry } from "../test/support/docker-registry.ts";
import { requireTools } from "../test/support/tools.ts";
import { command } from "./contenders.ts";
import { benchImage, corpus } from "./corpus.ts";
import { tmpfs } from "./places.ts";
import { callTable, profileText } from "./profile-tables.ts";
import type { Profile } from "./profiled.ts";
import { recipes } from "./recipes.ts";
import { countedCalls } from "./system-calls.ts";
import { type Task, TaskWatch } from "./tasks.ts";

/*
 * Where the time of one unpacking goes: `npm run profile -- IMAGE`, an image of the corpus by its name (`python`) or any
 * other by its reference.
 */

const [wish] = process.argv.slice(2);
if (wish === undefined) throw new Error("cannot profile nothing: npm run profile -- IMAGE");
requireTools("strace");
const recipe = recipes.find(({ name }) => name === wish);
if (recipe === undefined) await profile(wish);
else {
  requireTools("docker-registry", "skopeo");
  const { storage } = await corpus((line) => console.error(line));
  await using registry = await dockerRegistry({ storage });
  await profile((await benchImage(registry.host, recipe)).gzip);
}

async function profile(image: string): Promise<void> {
  await watched(image); // fills the page cache
  const { profile: own, tasks } = await watched(image);
  console.log(profileText(image, own, tasks));
  await using target = await tmpfs.fresh();
  const calls = await countedCalls([...command, "--quiet", "--plain-http", image, join(target.directory, "image")]);
  console.log(`\n${callTable(calls, own.entries)}`);
}

async function watched(image: string): Promise<{ readonly profile: Profile; readonly tasks: readonly Task[] }> {
  await using target = await tmpfs.fresh();
  const program = fileURLToPath(new URL("profiled.js", import.meta.url));
  const child = spawn(process.execPath, [program, image, join(target.directory, "image")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child, "spawn");
  using watch = new TaskWatch(child.pid ?? 0);
  const [told, [status]] = await Promise.all([json(child.stdout).catch(() => undefined), once(child, "exit")]);
  if (status !== 0) throw new Error(`cannot profile ${image}: it does not unpack`);
  return { profile: told as Profile, tasks: watch.tasks };
}
