import { parseCommandLine } from "./command-line.ts";
import { type ConnectionSettings, connectionSettings } from "./connection-options.ts";
import { helpCommand, type SmallCommand } from "./image-options.ts";
import { loginOptionTable, logoutOptionTable } from "./option-tables.ts";
import { UsageError } from "./usage-error.ts";

/** The arguments of `oci-unpack login REGISTRY`. */
export interface LoginCommand {
  readonly name: "login";
  readonly registry: string;
  /** If it is not given, it is asked for at the terminal, as the password is. */
  readonly username: string | undefined;
  readonly passwordFromInput: boolean;
  readonly authFile: string | undefined;
  /** Whether the registry is asked about the login first. */
  readonly isVerified: boolean;
  /** Whether each decision is shown. */
  readonly isExplained: boolean;
  /** How the registry is asked. */
  readonly connection: ConnectionSettings;
}

/** The arguments of `oci-unpack logout REGISTRY`. */
export interface LogoutCommand {
  readonly name: "logout";
  readonly registry: string;
  readonly authFile: string | undefined;
}

/** Parses the arguments after `login`. */
export function parseLogin(args: readonly string[]): LoginCommand | SmallCommand {
  refusePassword(args);
  const { values, positionals } = parseCommandLine(loginOptionTable, args);
  if (values.help) return helpCommand("login", positionals);
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

/** Refuses docker's option `-p`: every user of the machine can read command lines. */
function refusePassword(args: readonly string[]): void {
  // Linear: it matches only at the beginning, and each character in one way only.
  const option = args.find((arg) => /^(?:-p.*|--password(?:=.*)?)$/.test(arg));
  if (option === undefined) return;
  throw new UsageError(
    "cannot log in: a password in the command line is seen by every user of this machine",
    "pipe it: oci-unpack login -u NAME --password-stdin REGISTRY < FILE",
  );
}

/** Parses the arguments after `logout`. */
export function parseLogout(args: readonly string[]): LogoutCommand | SmallCommand {
  const { values, positionals } = parseCommandLine(logoutOptionTable, args);
  if (values.help) return helpCommand("logout", positionals);
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
