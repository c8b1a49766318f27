/**
 * Domains whose subdomains belong to different customers, or to whoever is in a cluster, and which the Public Suffix List
 * does not have, or not all of.
 */
const shared = [
  "aliyuncs.com",
  "amazonaws.com",
  "amazonaws.com.cn",
  "appdomain.cloud",
  "azure.com",
  "azurecontainerapps.io",
  "azurecr.cn",
  "azurecr.io",
  "azurecr.us",
  "b-cdn.net",
  "backblazeb2.com",
  "cloudflarestorage.com",
  "cluster.local",
  "compute.internal",
  "devtunnels.ms",
  "ec2.internal",
  "exo.io",
  "fastly.net",
  "github.dev",
  "googleusercontent.com",
  "jfrog.io",
  "koyeb.app",
  "loca.lt",
  "myhuaweicloud.com",
  "myqcloud.com",
  "nip.io",
  "on.aws",
  "openshiftapps.com",
  "oraclecloud.com",
  "ovh.net",
  "pkg.dev",
  "scw.cloud",
  "sslip.io",
  "tencentcloudcr.com",
  "traefik.me",
  "volces.com",
  "wasabisys.com",
  "windows.net",
  "xip.io",
  "your-server.de",
];

/**
 * The domain that somebody registered and all of whose hosts are theirs, by the Public Suffix List with its private part;
 * `undefined` for an address, a bare suffix, and wherever strangers may be neighbours.
 */
export async function registrableDomain(hostname: string): Promise<string | undefined> {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (shared.some((suffix) => name === suffix || name.endsWith(`.${suffix}`))) return undefined;
  // Few registries have their token server on another host, and to read the list takes longer than to start without.
  const { getDomain } = await import("tldts");
  return getDomain(name, { allowPrivateDomains: true }) ?? undefined;
}
