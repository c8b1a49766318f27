import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { output } from "./command.ts";

/** An engine with a store of its own, listening at a socket as docker does. */
export interface PodmanService extends AsyncDisposable {
  readonly socket: string;
  /** Runs a podman command on the service's own store. */
  podman(...args: readonly string[]): Promise<string>;
}

/**
 * The environment with which podman and buildah ask for few open files: by themselves they ask for more than some machines
 * allow even root. The file that says so lies in `directory`.
 */
export async function fewOpenFiles(directory: string): Promise<{ readonly CONTAINERS_CONF: string }> {
  const configuration = join(directory, "containers.conf");
  const ulimits = ["nofile=1024:1024", "nproc=1024:1024"];
  await writeFile(configuration, `[containers]\ndefault_ulimits = ${JSON.stringify(ulimits)}\n`);
  return { CONTAINERS_CONF: configuration };
}

/** Starts podman as a service. Everything it keeps lies in `directory`. */
export async function podmanService(directory: string): Promise<PodmanService> {
  const socket = join(directory, "engine.sock");
  await mkdir(join(directory, "root"));
  const environment = { ...(await fewOpenFiles(directory)), PODMAN_IGNORE_CGROUPSV1_WARNING: "1" };
  const own = ["--root", join(directory, "root"), "--runroot", join(directory, "run"), "--storage-driver", "vfs"];
  const child = spawn("podman", [...own, "system", "service", "--time", "0", `unix://${socket}`], {
    env: { ...process.env, ...environment },
    stdio: "ignore",
  });
  await listening(socket, child);
  return {
    socket,
    podman: (...args) => output("podman", [...own, ...args], { environment }),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await exit;
    },
  };
}

async function listening(socket: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`podman ended with status ${child.exitCode}`);
    const isThere = await stat(socket).then(
      (found) => found.isSocket(),
      () => false,
    );
    if (isThere) return;
    await sleep(20);
  }
}
