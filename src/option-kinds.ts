import { platformKinds } from "./oci/platform.ts";
import {
  boolean,
  callback,
  count,
  either,
  type Kinds,
  object,
  path,
  promise,
  shape,
  shapes,
  signal,
  source,
  text,
  texts,
  word,
} from "./option-checks.ts";
import type { ApplyOptions, IdMapping, ResolveOptions, Rootless, UnpackOptions } from "./options.ts";

export const sandboxKind = word("require", "prefer", "off");

export const resolveKinds: Kinds<ResolveOptions> = {
  platform: either(text, shape(platformKinds)),
  source: either(source, promise),
  signal,
  onEvent: callback,
  strict: boolean,
  limits: object,
  sandbox: sandboxKind,
};

const idMap = shapes<IdMapping>({ containerID: count, hostID: count, size: count }, ["containerID", "hostID", "size"]);

export const applyKinds: Kinds<ApplyOptions> = {
  owner: word("preserve", "ignore"),
  recordOwners: boolean,
  uidMap: idMap,
  gidMap: idMap,
  xattrInclude: texts,
  xattrExclude: texts,
  devices: word("skip", "create", "placeholder", "error"),
  keepDirlinks: boolean,
  sourceDateEpoch: count,
};

/** Of an unpacking, those that say what its files become. */
export const filesKinds: Kinds<Omit<UnpackOptions, "bundle" | "manifest">> = {
  ...resolveKinds,
  ...applyKinds,
  include: texts,
  exclude: texts,
};

export const unpackKinds: Kinds<UnpackOptions> = {
  ...filesKinds,
  bundle: either(boolean, shape<Rootless>({ uid: count, gid: count }, ["uid", "gid"])),
  manifest: path,
};
