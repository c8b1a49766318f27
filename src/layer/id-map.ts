import type { IdMapping } from "./settings.ts";

/** What an id inside is on this machine; `undefined` where the map has no place for it. Without a map it is itself. */
export function hostIdOf(id: number, map: readonly IdMapping[] | undefined): number | undefined {
  if (map === undefined) return id;
  for (const { containerID, hostID, size } of map) {
    if (id >= containerID && id < containerID + size) return hostID + id - containerID;
  }
  return undefined;
}

/** What an id of this machine is inside. */
export function containerIdOf(id: number, map: readonly IdMapping[] | undefined): number | undefined {
  return hostIdOf(id, inverted(map));
}

/** The map by which ids of this machine become those inside. */
export function inverted(map: readonly IdMapping[] | undefined): readonly IdMapping[] | undefined {
  return map?.map(({ containerID, hostID, size }) => ({ containerID: hostID, hostID: containerID, size }));
}
