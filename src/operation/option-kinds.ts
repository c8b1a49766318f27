import { boolean, count, either, type Kinds, path, shape, shapes, texts, word } from "../base/option-checks.ts";
import { devicePolicies, ownerChoices } from "../base/option-words.ts";
import type { Rootless } from "../bundle/user.ts";
import { resolveKinds } from "../image/options.ts";
import type { ApplyOptions, IdMapping } from "../layer/settings.ts";
import type { UnpackOptions } from "./options.ts";

const idMap = shapes<IdMapping>({ containerID: count, hostID: count, size: count }, ["containerID", "hostID", "size"]);

export const applyKinds: Kinds<ApplyOptions> = {
  owner: word(...ownerChoices),
  recordOwners: boolean,
  uidMap: idMap,
  gidMap: idMap,
  xattrInclude: texts,
  xattrExclude: texts,
  devices: word(...devicePolicies),
  keepDirlinks: boolean,
  sourceDateEpoch: count,
};

/** Of an unpacking, those that say what its files become. */
export const filesKinds: Kinds<Omit<UnpackOptions, "bundle" | "mtree">> = {
  ...resolveKinds,
  ...applyKinds,
  include: texts,
  exclude: texts,
};

export const unpackKinds: Kinds<UnpackOptions> = {
  ...filesKinds,
  bundle: either(boolean, shape<Rootless>({ uid: count, gid: count }, ["uid", "gid"])),
  mtree: path,
};
