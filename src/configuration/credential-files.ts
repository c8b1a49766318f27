import { isAbsolute, join } from "node:path";
import type { AuthFileFormat } from "./auth-file.ts";
import type { SettledMachine } from "./machine.ts";

/** A file that may hold credentials. */
export interface CredentialFile {
  readonly path: string;
  readonly format: AuthFileFormat;
  /** Whether the user named it, so that a warning is due if it is missing. */
  readonly named: boolean;
}

/**
 * The files that may have credentials, in the order in which they are read. The first one that has the registry counts.
 */
export function credentialFiles(machine: SettledMachine, authFile?: string): readonly CredentialFile[] {
  const { env, homeDirectory } = machine;
  return [
    ...file(authFile, { named: true }),
    ...file(env.REGISTRY_AUTH_FILE, { named: true }),
    ...file(env.DOCKER_CONFIG && join(env.DOCKER_CONFIG, "config.json")),
    ...file(runtimeAuthFile(machine)),
    ...file(lastingAuthFile(machine)),
    // $DOCKER_CONFIG replaces ~/.docker.
    ...file(env.DOCKER_CONFIG ? undefined : join(homeDirectory, ".docker/config.json")),
    ...file(join(homeDirectory, ".dockercfg"), { format: "dockercfg" }),
  ];
}

/** podman's file for logins. It is gone after the next boot. */
export function runtimeAuthFile({ env, uid }: SettledMachine): string {
  const directory = env.XDG_RUNTIME_DIR;
  return directory && isAbsolute(directory)
    ? join(directory, "containers/auth.json")
    : `/run/containers/${uid}/auth.json`;
}

/** podman's other file for logins. It is not removed by a boot. */
export function lastingAuthFile(machine: SettledMachine): string {
  return join(configHome(machine), "containers/auth.json");
}

/** docker's configuration file. */
export function dockerConfigFile({ env, homeDirectory }: SettledMachine): string {
  return join(env.DOCKER_CONFIG || join(homeDirectory, ".docker"), "config.json");
}

/** `$XDG_CONFIG_HOME`, if it is absolute (XDG Base Directory Specification), or its default. */
export function configHome({ env, homeDirectory }: SettledMachine): string {
  const directory = env.XDG_CONFIG_HOME;
  return directory && isAbsolute(directory) ? directory : join(homeDirectory, ".config");
}

function file(path: string | undefined, { named = false, format = "config" as AuthFileFormat } = {}): CredentialFile[] {
  return path ? [{ path, format, named }] : [];
}
