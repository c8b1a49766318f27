import { join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import type { EventListener } from "../base/events.ts";
import {
  boolean,
  callback,
  checkOptions,
  either,
  type Kinds,
  path as pathKind,
  pathOf,
  paths,
  texts,
  word,
} from "../base/option-checks.ts";
import { type ShortNamePolicy, shortNamePolicies } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { TlsFor, TlsMaterial } from "../http/options.ts";
import type { RegistryOptions } from "../registry/options.ts";
import type { PlainHttp } from "../registry/registry-name.ts";
import { credentialsOf, requireAuthFile } from "./credentials.ts";
import { requireHostsDirectory } from "./hosts-directory.ts";
import { dockerHttpHeaders } from "./http-headers.ts";
import { expandShortName } from "./image-names.ts";
import { type Machine, machineKinds, machineNeeds, type SettledMachine, settledMachine } from "./machine.ts";
import { mirrors } from "./mirrors.ts";
import { proxyFromEnvironment } from "./proxy.ts";
import { readRegistriesConf } from "./registries-conf-files.ts";
import { extraAuthorities, systemAuthorities } from "./system-authorities.ts";
import {
  type CertificateFiles,
  certificateDirectories,
  certificatesIn,
  combinedTls,
  readTlsMaterial,
  type SharedTls,
  sharedTls,
} from "./tls-files.ts";

/** The machine, and options of the user that are not in its files. */
export interface EnvironmentOptions extends Machine {
  /** A file with credentials that is read before all others. It must exist. */
  readonly authFile?: string | URL | undefined;
  /** containerd's directory of hosts, which must exist. Default: `/etc/containerd/certs.d`, if it exists. */
  readonly hostsDirectory?: string | URL | undefined;
  /** Files with authorities to trust for all hosts. */
  readonly tlsCa?: readonly (string | URL)[] | undefined;
  /** The file of a client certificate for the registry itself. The key is in it, or in `tlsKey`. */
  readonly tlsCert?: string | URL | undefined;
  /** The file of the key of that client certificate. */
  readonly tlsKey?: string | URL | undefined;
  /** Accepts every certificate, of all hosts. Default: false. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
  /** As in `RegistryOptions`. */
  readonly plainHttp?: PlainHttp;
  /** Uses `ALL_PROXY` as well. Default: false. */
  readonly allProxy?: boolean | undefined;
  /** What a name without a registry means: Docker Hub, or what podman's aliases say. Default: "docker". */
  readonly shortNames?: ShortNamePolicy | undefined;
  /** Gets events about the files, and warnings about those that cannot be used. */
  readonly onEvent?: EventListener | undefined;
}

export const environmentKinds: Kinds<EnvironmentOptions> = {
  ...machineKinds,
  authFile: pathKind,
  hostsDirectory: pathKind,
  tlsCa: paths,
  tlsCert: pathKind,
  tlsKey: pathKind,
  insecureSkipTlsVerify: boolean,
  plainHttp: either(boolean, texts),
  allProxy: boolean,
  shortNames: word(...shortNamePolicies),
  onEvent: callback,
};

/**
 * The options of a registry client from this machine's configuration of docker, podman and containerd: credentials,
 * mirrors, certificates, proxies, headers.
 *
 * The options for TLS are used in addition to the files. Throws `INVALID_OPTION` if an option cannot be used.
 */
export async function registryFromEnvironment(given: EnvironmentOptions): Promise<RegistryOptions> {
  const options = settled(checkOptions(given, environmentKinds, machineNeeds));
  const { env, plainHttp, allProxy = false, systemDirectory = "/etc", onEvent } = options;
  const { hostsDirectory = join(systemDirectory, "containerd/certs.d") } = options;
  const heard = onEvent === undefined ? {} : { onEvent };
  const [registriesConf, headers, everywhere, registryTls] = await Promise.all([
    readRegistriesConf(options, heard),
    dockerHttpHeaders(options, heard),
    readTlsMaterial({ ca: options.tlsCa ?? [], client: [] }, heard),
    readTlsMaterial({ ca: [], client: clientFiles(options) }, heard),
    options.authFile !== undefined && requireAuthFile(options.authFile),
    options.hostsDirectory !== undefined && requireHostsDirectory(options.hostsDirectory),
  ]);
  let extra: Promise<readonly string[]> | undefined;
  const extraOnce = () => {
    extra ??= extraAuthorities(env, heard);
    return extra;
  };
  const shared = sharedTls(extraOnce);
  const tls = certificates(options, shared, {
    ...everywhere,
    insecureSkipVerify: options.insecureSkipTlsVerify ?? false,
  });
  return present({
    credentials: credentialsOf(options),
    endpoints: mirrors({
      registriesConf,
      hostsDirectory,
      plainHttp,
      tls,
      registryTls,
      shared,
      hasExtraAuthorities: Boolean(env.NODE_EXTRA_CA_CERTS),
    }),
    tls,
    furtherAuthorities: async () => [...(await systemAuthorities(options, heard)), ...(await extraOnce())],
    proxy: proxyFromEnvironment(env, { allProxy }),
    headers,
    plainHttp,
    expandName: options.shortNames === "podman" ? (name: string) => expandShortName(registriesConf, name) : undefined,
  });
}

/** The options with paths instead of URLs. */
function settled(options: EnvironmentOptions) {
  const { authFile, hostsDirectory, tlsCa, tlsCert, tlsKey } = options;
  return {
    ...settledMachine(options),
    authFile: authFile && pathOf("authFile", authFile),
    hostsDirectory: hostsDirectory && pathOf("hostsDirectory", hostsDirectory),
    tlsCa: tlsCa?.map((each) => pathOf("tlsCa", each)),
    tlsCert: tlsCert && pathOf("tlsCert", tlsCert),
    tlsKey: tlsKey && pathOf("tlsKey", tlsKey),
  };
}

type SettledOptions = ReturnType<typeof settled>;

/** TLS material for a host: that in `certs.d`, and that of the user for all hosts. */
function certificates(machine: SettledMachine, shared: SharedTls, everywhere: TlsMaterial): TlsFor {
  const found = certificatesIn(certificateDirectories(machine));
  return async (host, options) => {
    const material = combinedTls(everywhere, await found(host, options));
    return material && shared(material);
  };
}

function clientFiles({ tlsCert, tlsKey }: SettledOptions): CertificateFiles["client"] {
  if (tlsCert === undefined && tlsKey !== undefined) {
    throw new OciUnpackError("INVALID_OPTION", `cannot use the key "${tlsKey}": it has no certificate`);
  }
  if (tlsCert === undefined) return [];
  return [tlsKey === undefined ? [tlsCert] : [tlsCert, tlsKey]];
}
