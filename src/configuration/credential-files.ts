import { isAbsolute, join } from "node:path";
import type { AuthFileFormat } from "./auth-file.ts";
import type { SettledMachine } from "./machine.ts";

/** A file that may hold credentials. */
export interface CredentialFile {
  readonly path: string;
  readonly format: AuthFileFormat;
  /** Whether someone named it, so that its absence is worth a word. */
  readonly named: boolean;
}

/** The files that may hold credentials, in the order in which they are asked; the first that knows a registry wins. */
export function credentialFiles(machine: SettledMachine, authFile?: string): readonly CredentialFile[] {
  const { env, homeDirectory } = machine;
  return [
    ...file(authFile, { named: true }),
    ...file(env.REGISTRY_AUTH_FILE, { named: true }),
    ...file(env.DOCKER_CONFIG && join(env.DOCKER_CONFIG, "config.json")),
    ...file(runtimeAuthFile(machine)),
    ...file(lastingAuthFile(machine)),
    // $DOCKER_CONFIG is docker's word for "instead of ~/.docker".
    ...file(env.DOCKER_CONFIG ? undefined : join(homeDirectory, ".docker/config.json")),
    ...file(join(homeDirectory, ".dockercfg"), { format: "dockercfg" }),
  ];
}

/** Where podman keeps what `login` writes: gone after the next boot. */
export function runtimeAuthFile({ env, uid }: SettledMachine): string {
  const directory = env.XDG_RUNTIME_DIR;
  return directory && isAbsolute(directory)
    ? join(directory, "containers/auth.json")
    : `/run/containers/${uid}/auth.json`;
}

/** Where podman looks, too, and what the next boot leaves alone. */
export function lastingAuthFile(machine: SettledMachine): string {
  return join(configHome(machine), "containers/auth.json");
}

/** Docker's own configuration. */
export function dockerConfigFile({ env, homeDirectory }: SettledMachine): string {
  return join(env.DOCKER_CONFIG || join(homeDirectory, ".docker"), "config.json");
}

/** `$XDG_CONFIG_HOME`, which counts only when absolute (XDG Base Directory Specification), or its default. */
export function configHome({ env, homeDirectory }: SettledMachine): string {
  const directory = env.XDG_CONFIG_HOME;
  return directory && isAbsolute(directory) ? directory : join(homeDirectory, ".config");
}

function file(path: string | undefined, { named = false, format = "config" as AuthFileFormat } = {}): CredentialFile[] {
  return path ? [{ path, format, named }] : [];
}
