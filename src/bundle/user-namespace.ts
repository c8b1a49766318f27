import { hostIdOf } from "../layer/id-map.ts";
import type { IdMapping } from "../layer/settings.ts";
import type { ProcessUser, Rootless } from "./user.ts";

/** Whom a bundle is for, and what its users are on this machine. */
export interface BundleOwners {
  /** The user of this machine that the runtime runs as, who is root in the container. Default: root. */
  readonly rootless?: Rootless;
  /** What the container's users are on this machine. Default: with `rootless` root alone is somebody, otherwise themselves. */
  readonly uidMap?: readonly IdMapping[];
  /** The same for groups. */
  readonly gidMap?: readonly IdMapping[];
}

/** The user namespace of a container (runtime-spec, config-linux.md, "User namespace mappings"). */
export interface UserNamespace {
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
}

/** The user namespace that a container needs, if it needs one. */
export function userNamespaceOf({ rootless, uidMap, gidMap }: BundleOwners): UserNamespace | undefined {
  if ((rootless ?? uidMap ?? gidMap) === undefined) return undefined;
  return { uidMappings: uidMap ?? mapOf(rootless?.uid), gidMappings: gidMap ?? mapOf(rootless?.gid) };
}

/** The map where none is given: root is somebody, or all are themselves. */
function mapOf(hostID: number | undefined): readonly IdMapping[] {
  return [
    hostID === undefined ? { containerID: 0, hostID: 0, size: 2 ** 32 - 1 } : { containerID: 0, hostID, size: 1 },
  ];
}

/** Whether a process may run as this user in a namespace. */
export function hasUser({ uidMappings, gidMappings }: UserNamespace, { uid, gid }: ProcessUser): boolean {
  return isMapped(uid, uidMappings) && isMapped(gid, gidMappings);
}

/** Whether an id of the container is one on this machine. */
export function isMapped(id: number, map: readonly IdMapping[]): boolean {
  return hostIdOf(id, map) !== undefined;
}
