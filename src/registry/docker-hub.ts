/** Docker Hub's names in the order in which credentials are looked up under them: the reference's, docker's own key, the older hosts. */
const names = ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io"] as const;

/** The names under which a registry's credentials may be kept, most likely first. All but Docker Hub have one. */
export function namesOf(host: string): readonly string[] {
  return isDockerHub(host) ? names : [host];
}

/** Tells whether a host is one of those that together are Docker Hub. */
export function isDockerHub(host: string): boolean {
  return (names as readonly string[]).includes(host);
}

/** The names under which a helper may keep a registry's secret: docker's own for Docker Hub is a URL, podman's is the host. */
export function helperNamesOf(host: string): readonly string[] {
  return isDockerHub(host) ? ["https://index.docker.io/v1/", "docker.io"] : [host];
}
