import { present } from "../base/present.ts";
import type { IdMapping, UnpackOptions } from "../index.ts";
import { type CommandLine, oneOf } from "./command-line.ts";
import type { verifyOptionTable } from "./option-tables.ts";
import { UsageError } from "./usage-error.ts";

/** What is to become, or has become, of an image's files. */
export type FilesWishes = Pick<
  UnpackOptions,
  "include" | "exclude" | "owner" | "recordOwners" | "uidMap" | "gidMap" | "devices" | "xattrInclude" | "xattrExclude"
>;

/** Reads what is to become of the files. */
export function filesWishes({ values }: CommandLine<typeof verifyOptionTable>): FilesWishes {
  return present({
    include: values.include,
    exclude: values.exclude,
    owner: oneOf("--owner", values.owner, ["preserve", "ignore"]),
    recordOwners: values.rootless,
    uidMap: idMap("--uid-map", values["uid-map"]),
    gidMap: idMap("--gid-map", values["gid-map"]),
    devices: oneOf("--devices", values.devices, ["skip", "create", "placeholder", "error"]),
    xattrInclude: values["xattr-include"],
    xattrExclude: values["xattr-exclude"],
  });
}

/** `CONTAINER:HOST` for one id, `CONTAINER:HOST:SIZE` for as many, as umoci has it. */
function idMap(option: string, texts: readonly string[] | undefined): readonly IdMapping[] | undefined {
  return texts?.map((text) => {
    const [, containerID, hostID, size = "1"] = /^(\d{1,10}):(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
    if (containerID !== undefined && hostID !== undefined) {
      return { containerID: Number(containerID), hostID: Number(hostID), size: Number(size) };
    }
    throw new UsageError(
      `cannot use ${option}: CONTAINER:HOST:SIZE is expected, found "${text}"`,
      `for instance ${option} 0:100000:65536`,
    );
  });
}
