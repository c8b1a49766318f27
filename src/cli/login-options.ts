import { parseCommandLine } from "./command-line.ts";
import { type ConnectionSettings, connectionSettings } from "./connection-options.ts";
import type { SmallCommand } from "./image-options.ts";
import { loginOptionTable, logoutOptionTable } from "./option-tables.ts";
import { UsageError } from "./usage-error.ts";

/** What `oci-unpack login REGISTRY` was asked to do. */
export interface LoginCommand {
  readonly name: "login";
  readonly registry: string;
  /** Asked for at the terminal where it is not given; so is the password. */
  readonly username: string | undefined;
  readonly passwordFromInput: boolean;
  readonly authFile: string | undefined;
  /** Whether the registry is asked first. */
  readonly isVerified: boolean;
  /** Whether each decision on the way is told. */
  readonly isExplained: boolean;
  /** How it is asked. */
  readonly connection: ConnectionSettings;
}

/** What `oci-unpack logout REGISTRY` was asked to do. */
export interface LogoutCommand {
  readonly name: "logout";
  readonly registry: string;
  readonly authFile: string | undefined;
}

/** Reads the arguments after `login`. */
export function parseLogin(args: readonly string[]): LoginCommand | SmallCommand {
  refusePassword(args);
  const { values, positionals } = parseCommandLine(loginOptionTable, args);
  if (values.help) return { name: "help", topic: "login" };
  const passwordFromInput = values["password-stdin"] ?? false;
  if (passwordFromInput && values.username === undefined) {
    throw new UsageError("cannot log in: --password-stdin is given without --username", loginHint);
  }
  const registry = onlyRegistry("log in", positionals, loginHint);
  const { username, authfile: authFile } = values;
  const isVerified = !values["no-verify"];
  const isExplained = values.explain ?? false;
  const connection = connectionSettings(values);
  return { name: "login", registry, username, passwordFromInput, authFile, isVerified, isExplained, connection };
}

/** Docker's own `-p`: whatever stands in a command line, everybody on the machine can read. */
function refusePassword(args: readonly string[]): void {
  // Linear: it matches at the beginning alone, and what follows there in one way.
  const option = args.find((arg) => /^(?:-p.*|--password(?:=.*)?)$/.test(arg));
  if (option === undefined) return;
  throw new UsageError(
    "cannot log in: a password in the command line is seen by every user of this machine",
    "pipe it: oci-unpack login -u NAME --password-stdin REGISTRY < FILE",
  );
}

/** Reads the arguments after `logout`. */
export function parseLogout(args: readonly string[]): LogoutCommand | SmallCommand {
  const { values, positionals } = parseCommandLine(logoutOptionTable, args);
  if (values.help) return { name: "help", topic: "logout" };
  const registry = onlyRegistry("log out", positionals, "for instance oci-unpack logout ghcr.io");
  return { name: "logout", registry, authFile: values.authfile };
}

const loginHint = "for instance oci-unpack login ghcr.io, or oci-unpack login -u NAME --password-stdin ghcr.io < FILE";

function onlyRegistry(attempted: string, positionals: readonly string[], hint: string): string {
  const [registry, surplus] = positionals;
  if (registry === undefined) throw new UsageError(`cannot ${attempted}: REGISTRY is missing`, hint);
  if (surplus === undefined) return registry;
  throw new UsageError(`cannot ${attempted}: unexpected argument "${surplus}" after REGISTRY`, hint);
}
