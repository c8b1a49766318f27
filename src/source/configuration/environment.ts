import { join } from "node:path";
import { OciUnpackError } from "../../errors.ts";
import type { EventListener } from "../../events.ts";
import type { RegistryOptions, TlsFor, TlsMaterial } from "../options.ts";
import type { PlainHttp } from "../registry-url.ts";
import { type CertificateFiles, certificateDirectories, certificatesIn, readTlsMaterial } from "./certs-d.ts";
import { dockerCredentials, requireAuthFile } from "./credentials.ts";
import { dockerHttpHeaders } from "./docker-headers.ts";
import { extraAuthorities } from "./extra-authorities.ts";
import { requireHostsDirectory } from "./hosts-directory.ts";
import type { Machine } from "./machine.ts";
import { mirrors } from "./mirrors.ts";
import { proxyFromEnvironment } from "./proxy.ts";
import { readRegistriesConf } from "./registries-conf-files.ts";
import { expandShortName } from "./short-names.ts";
import { systemAuthorities } from "./system-authorities.ts";
import { combinedTls, type SharedTls, sharedTls } from "./tls-material.ts";

/** The machine, and what its user said beyond its files. */
export interface EnvironmentOptions extends Machine {
  /** A file with credentials, asked before all others. It must be there. */
  readonly authFile?: string | undefined;
  /** Containerd's directory of hosts, which must be there. Default: `/etc/containerd/certs.d`, which need not. */
  readonly hostsDirectory?: string | undefined;
  /** Paths of authorities to trust, for all hosts. */
  readonly tlsCa?: readonly string[] | undefined;
  /** Path of a client certificate to show to the registry itself, and of its key where that has a file of its own. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** Accepts any certificate, of all hosts. Default: false. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
  /** As in `RegistryOptions`. */
  readonly plainHttp?: PlainHttp;
  /** Takes `ALL_PROXY` too. Default: false. */
  readonly allProxy?: boolean | undefined;
  /** Whose a name without a registry is: always Docker Hub's, or what podman's aliases say. Default: "docker". */
  readonly shortNames?: "docker" | "podman" | undefined;
  /** Hears of files that cannot be used. */
  readonly onEvent?: EventListener | undefined;
}

/**
 * A registry client's options as this machine's docker, podman and containerd are configured: credentials, mirrors,
 * certificates, proxies, headers.
 *
 * What the options here say of TLS adds to what the files say. Throws `INVALID_OPTION` for what cannot be used.
 */
export async function registryFromEnvironment(options: EnvironmentOptions): Promise<RegistryOptions> {
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
  return {
    credentials: dockerCredentials(options),
    endpoints: mirrors({
      ...{ registriesConf, hostsDirectory, plainHttp, tls, registryTls, shared },
      hasExtraAuthorities: Boolean(env.NODE_EXTRA_CA_CERTS),
    }),
    tls,
    furtherAuthorities: async () => [...(await systemAuthorities(options, heard)), ...(await extraOnce())],
    proxy: proxyFromEnvironment(env, { allProxy }),
    headers,
    ...(plainHttp !== undefined && { plainHttp }),
    ...(options.shortNames === "podman" && { expandName: (name: string) => expandShortName(registriesConf, name) }),
  };
}

/** What `certs.d` has for a host, with what the user said of all hosts. */
function certificates(machine: Machine, shared: SharedTls, everywhere: TlsMaterial): TlsFor {
  const found = certificatesIn(certificateDirectories(machine));
  return async (host, options) => {
    const material = combinedTls(everywhere, await found(host, options));
    return material && shared(material);
  };
}

function clientFiles({ tlsCert, tlsKey }: EnvironmentOptions): CertificateFiles["client"] {
  if (tlsCert === undefined && tlsKey !== undefined) {
    throw new OciUnpackError("INVALID_OPTION", `cannot use the key "${tlsKey}": it has no certificate`);
  }
  if (tlsCert === undefined) return [];
  return [tlsKey === undefined ? [tlsCert] : [tlsCert, tlsKey]];
}
