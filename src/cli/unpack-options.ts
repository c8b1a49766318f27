import type { IdMapping, UnpackOptions } from "../index.ts";
import { type CommandLine, oneOf, parseCommandLine } from "./command-line.ts";
import { definedOnly } from "./defined-only.ts";
import { type ImageWishes, imageWishes, type SmallCommand, smallCommand } from "./image-options.ts";
import { unpackOptionTable } from "./option-tables.ts";
import { type Destination, destination } from "./output-options.ts";
import type { Surroundings } from "./surroundings.ts";
import { UsageError } from "./usage-error.ts";

/** What `oci-unpack IMAGE DIRECTORY` was asked to do. */
export interface UnpackCommand extends Destination, ImageWishes {
  readonly name: "unpack";
  readonly options: ImageWishes["options"] &
    Pick<
      UnpackOptions,
      | "include"
      | "exclude"
      | "owner"
      | "recordOwners"
      | "uidMap"
      | "gidMap"
      | "devices"
      | "xattrInclude"
      | "xattrExclude"
    >;
  /** Whether the directory becomes a bundle for a container runtime, and whose. */
  readonly bundle: "none" | "for root" | "for this user";
}

type UnpackLine = CommandLine<typeof unpackOptionTable>;

/** Reads the arguments of `oci-unpack IMAGE DIRECTORY`. */
export function parseUnpack(args: readonly string[], env: Surroundings["env"]): UnpackCommand | SmallCommand {
  const line = parseCommandLine(unpackOptionTable, args);
  return smallCommand(line, "unpack") ?? unpackCommand(line, env);
}

function unpackCommand(line: UnpackLine, env: Surroundings["env"]): UnpackCommand {
  const { values } = line;
  const place = destination(line);
  const wishes = imageWishes(line, env);
  return {
    name: "unpack",
    ...place,
    ...wishes,
    options: {
      ...wishes.options,
      ...definedOnly({
        include: values.include,
        exclude: values.exclude,
        owner: oneOf("--owner", values.owner, ["preserve", "ignore"]),
        recordOwners: values.rootless,
        uidMap: idMap("--uid-map", values["uid-map"]),
        gidMap: idMap("--gid-map", values["gid-map"]),
        devices: oneOf("--devices", values.devices, ["skip", "create", "placeholder", "error"]),
        xattrInclude: values["xattr-include"],
        xattrExclude: values["xattr-exclude"],
      }),
    },
    bundle: bundle(values),
  };
}

function bundle(values: UnpackLine["values"]): UnpackCommand["bundle"] {
  if (!values.bundle) return "none";
  return values.rootless ? "for this user" : "for root";
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
