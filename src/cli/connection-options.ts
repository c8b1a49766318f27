import { present } from "../base/present.ts";
import type { EnvironmentOptions, RegistryOptions } from "../index.ts";
import type { CommandLine } from "./command-line.ts";
import type { connectionOptionTable, imageOptionTable } from "./option-tables.ts";
import { UsageError } from "./usage-error.ts";

/** The options of the command line for the connection to registries. */
export interface ConnectionSettings {
  /** Options in addition to this machine's configuration. */
  readonly environment: Pick<
    EnvironmentOptions,
    | "plainHttp"
    | "authFile"
    | "hostsDirectory"
    | "tlsCa"
    | "tlsCert"
    | "tlsKey"
    | "insecureSkipTlsVerify"
    | "allProxy"
    | "shortNames"
  >;
  /** Options that no configuration file has. */
  readonly registry: Pick<RegistryOptions, "network" | "foreignLayers" | "connectionsPerBlob">;
}

type Values = CommandLine<typeof connectionOptionTable>["values"];

/** The options for registries of a command with an image. */
export function imageConnectionSettings(values: CommandLine<typeof imageOptionTable>["values"]): ConnectionSettings {
  const { environment, registry } = connectionSettings(values);
  return {
    environment: present({ ...environment, shortNames: values["short-names"] }),
    registry: present({
      ...registry,
      foreignLayers: values["foreign-layers"],
      connectionsPerBlob: connectionsPerBlob(values["connections-per-blob"]),
    }),
  };
}

/** The options for registries that all commands have. */
export function connectionSettings(values: Values): ConnectionSettings {
  if (values["tls-key"] !== undefined && values["tls-cert"] === undefined) {
    throw new UsageError(
      "cannot use --tls-key: there is no --tls-cert that it belongs to",
      "--tls-cert names the certificate; the same file may hold both",
    );
  }
  return {
    environment: present({
      plainHttp: values["plain-http"],
      authFile: values.authfile,
      hostsDirectory: values["hosts-dir"],
      tlsCa: values["tls-ca"],
      tlsCert: values["tls-cert"],
      tlsKey: values["tls-key"],
      insecureSkipTlsVerify: values["insecure-skip-tls-verify"],
      allProxy: values["all-proxy"],
    }),
    registry: present({ network: network(values) }),
  };
}

function network(values: Values): RegistryOptions["network"] {
  const policy = present({ allowHosts: values["allow-host"], denyPrivate: values["deny-private"] });
  return Object.keys(policy).length === 0 ? undefined : policy;
}

function connectionsPerBlob(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d{1,2}$/.test(text) && number >= 1 && number <= mostConnections) return number;
  throw new UsageError(
    `cannot use --connections-per-blob: a number from 1 to ${mostConnections} is expected, found "${text}"`,
    "for instance --connections-per-blob 4",
  );
}

/** As many connections as a client makes to one host. */
const mostConnections = 16;
