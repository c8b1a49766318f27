import {
  boolean,
  callback,
  count,
  either,
  type Kinds,
  object,
  objects,
  path,
  signal,
  text,
  texts,
  word,
} from "./option-checks.ts";
import type { ApplyOptions, ResolveOptions, UnpackOptions } from "./options.ts";

export const resolveKinds: Kinds<ResolveOptions> = {
  platform: either(text, object),
  source: object,
  signal,
  onEvent: callback,
  strict: boolean,
  limits: object,
  sandbox: word("require", "prefer", "off"),
};

export const applyKinds: Kinds<ApplyOptions> = {
  owner: word("preserve", "ignore"),
  recordOwners: boolean,
  uidMap: objects,
  gidMap: objects,
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
  bundle: either(boolean, object),
  manifest: path,
};
