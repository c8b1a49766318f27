import { stat } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { checkOptions } from "../base/option-checks.ts";
import { defaultEngineSocket } from "../source/engine.ts";
import { type Machine, machineKinds } from "./machine.ts";

/** The parts of a machine that tell where its engine is. */
type EngineMachine = Pick<Machine, "env"> & Partial<Machine>;

/**
 * The Unix socket of this machine's engine: the one in `DOCKER_HOST`, or the first one of docker and podman that
 * exists.
 */
export async function engineSocketFromEnvironment(machine: EngineMachine): Promise<string> {
  checkOptions(machine, machineKinds, ["env"]);
  const { env } = machine;
  const { DOCKER_HOST: host = "", XDG_RUNTIME_DIR: runtimeDirectory = "" } = env;
  if (host !== "") return socketIn(host);
  const rootless = runtimeDirectory === "" ? [] : ["docker.sock", "podman/podman.sock"];
  const candidates = [
    defaultEngineSocket,
    ...rootless.map((name) => join(runtimeDirectory, name)),
    "/run/podman/podman.sock",
  ];
  for (const candidate of candidates) if (await isSocket(candidate)) return candidate;
  return defaultEngineSocket;
}

function socketIn(host: string): string {
  if (host.startsWith("unix:///")) return host.slice("unix://".length);
  throw new OciUnpackError("INVALID_OPTION", `cannot reach the engine at DOCKER_HOST="${host}": it is no Unix socket`, {
    hint: "set DOCKER_HOST=unix:///PATH, or push the image to a registry",
  });
}

async function isSocket(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
}
