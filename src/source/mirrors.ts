import { readTlsMaterial } from "./certs-d.ts";
import { isDockerHub } from "./docker-hub.ts";
import { readHostsDirectory } from "./hosts-directory.ts";
import { type ConfiguredHost, theRegistryItself } from "./hosts-toml.ts";
import type { Endpoint, EndpointQuery, EndpointsFor, TlsMaterial } from "./options.ts";
import { type Place, placesOf } from "./places.ts";
import { emptyRegistriesConf, type RegistriesConf } from "./registries-conf.ts";
import { type PlainHttp, registryBaseUrl } from "./registry-url.ts";

/** What this machine's files say of mirrors. */
export interface MirrorOptions {
  /** Podman's configuration, already read. */
  readonly registriesConf?: RegistriesConf | undefined;
  /** Containerd's, such as `/etc/containerd/certs.d`; read when a registry is asked for. */
  readonly hostsDirectory?: string | undefined;
  /** As in `RegistryOptions`; holds for the registry itself, not for its mirrors. */
  readonly plainHttp?: PlainHttp;
}

/**
 * Where to ask for an image, in order, by podman's configuration and containerd's together.
 *
 * Podman's says under which names the image may be had; containerd's says, for the registry in each of these names, which
 * hosts to ask. The registry itself comes last, unless the files leave it out.
 */
export function mirrors(options: MirrorOptions): EndpointsFor {
  const { registriesConf = emptyRegistriesConf, hostsDirectory, plainHttp } = options;
  return async (query, fetchOptions) => {
    const endpoints: Endpoint[] = [];
    for (const place of placesOf(registriesConf, query)) {
      const found = hostsDirectory && (await readHostsDirectory(hostsDirectory, place.host, fetchOptions));
      const { hosts = [theRegistryItself], origin = place.origin } = found || {};
      const plain = place.host === query.host ? plainHttp : undefined;
      for (const host of hosts) {
        endpoints.push(
          ...(await endpointsOf(host, { ...place, ...(origin !== undefined && { origin }) }, query, plain)),
        );
      }
    }
    return endpoints;
  };
}

async function endpointsOf(
  host: ConfiguredHost,
  place: Place,
  query: EndpointQuery,
  plainHttp: PlainHttp,
): Promise<Endpoint[]> {
  const common = {
    ...(place.repository !== query.repository && { repository: place.repository }),
    resolvesTags: place.resolvesTags && host.resolves,
    servesDigests: place.servesDigests && host.pulls,
    ...(Object.keys(host.headers).length > 0 && { headers: host.headers }),
    ...(host.dialTimeoutMilliseconds !== undefined && { connectMilliseconds: host.dialTimeoutMilliseconds }),
    ...(place.origin !== undefined && { origin: place.origin }),
  };
  const tls = await tlsOf(host);
  return baseUrls(host, place, plainHttp, tls).map((address) => ({
    ...common,
    ...address,
    ...namespaceFor(address.baseUrl, place.host),
  }));
}

/** One address, or, for a registry that may lack TLS, one with TLS whatever its certificate and one without. */
function baseUrls(
  host: ConfiguredHost,
  place: Place,
  plainHttp: PlainHttp,
  tls: TlsMaterial | undefined,
): Pick<Endpoint, "baseUrl" | "tls">[] {
  if (host.baseUrl === undefined && place.insecure) {
    return [
      { baseUrl: registryBaseUrl(place.host, false), tls: { ...tls, insecureSkipVerify: true } },
      { baseUrl: registryBaseUrl(place.host, true) },
    ];
  }
  return [{ baseUrl: host.baseUrl ?? registryBaseUrl(place.host, plainHttp), ...(tls && { tls }) }];
}

/** `undefined` where nothing is said, so that what is said elsewhere of the host counts. */
async function tlsOf(host: ConfiguredHost): Promise<TlsMaterial | undefined> {
  if (host.ca.length + host.client.length === 0 && !host.skipVerify) return undefined;
  return { ...(await readTlsMaterial(host)), ...(host.skipVerify && { insecureSkipVerify: true }) };
}

/** A host that is not the registry itself must be told for which registry it stands. */
function namespaceFor(baseUrl: string, registry: string): { namespace?: string } {
  const asked = new URL(baseUrl);
  const { host } = new URL(`${asked.protocol}//${registry}`);
  return asked.host === host || (isDockerHub(asked.host) && isDockerHub(host)) ? {} : { namespace: registry };
}
