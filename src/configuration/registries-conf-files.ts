import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import { readConfigFile, tellOfFile } from "./config-file.ts";
import { configHome, type SettledMachine } from "./machine.ts";
import { emptyRegistriesConf, type RegistriesConf } from "./registries-conf.ts";

/**
 * Reads podman's `registries.conf` and its drop-in files (containers-registries.conf.d(5)).
 *
 * The main file is `$CONTAINERS_REGISTRIES_CONF`, or else the user's, or else the system's. Then come the drop-ins of
 * the system and of the user; if the user has a main file, only the user's. A mistake in a file throws `CONFIGURATION`:
 * without the file, something that it blocks would be allowed.
 */
export async function readRegistriesConf(machine: SettledMachine, options: FetchOptions = {}): Promise<RegistriesConf> {
  const { CONTAINERS_REGISTRIES_CONF: named } = machine.env;
  const system = join(machine.systemDirectory ?? "/etc", "containers/registries.conf");
  const user = join(configHome(machine), "containers/registries.conf");
  const usersText = named ? undefined : await readConfigFile(user, options);
  const main = named || (usersText === undefined ? system : user);
  const dropIns =
    main === user
      ? await confFiles(`${user}.d`, options)
      : [...(await confFiles(`${system}.d`, options)), ...(await confFiles(`${user}.d`, options))];

  let conf = emptyRegistriesConf;
  for (const path of [main, ...dropIns]) {
    const text = path === user && usersText !== undefined ? usersText : await readConfigFile(path, options);
    if (text !== undefined) conf = (await import("./registries-conf-parser.ts")).parseRegistriesConf(path, text, conf);
    else if (path === named) throw notThere(path);
  }
  return conf;
}

function notThere(path: string): OciUnpackError {
  return new OciUnpackError("CONFIGURATION", `cannot read "${path}": there is no such file`, {
    hint: "correct or unset $CONTAINERS_REGISTRIES_CONF, which names it",
  });
}

async function confFiles(directory: string, { onEvent }: FetchOptions): Promise<readonly string[]> {
  try {
    const names = (await readdir(directory)).filter((name) => name.endsWith(".conf"));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) {
      tellOfFile(onEvent, directory, "is not there");
      return [];
    }
    throw fileSystemError(error, `read "${directory}"`);
  }
}
