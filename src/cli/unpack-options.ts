import { type CopyForm, copyForms, type ExportForm, exportForms, type OverlayKind } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import type { ExportOptions, UnpackOptions } from "../index.ts";
import { addedFiles } from "./added-files.ts";
import { type CommandLine, parseCommandLine, refuseMisplacedCommand } from "./command-line.ts";
import { commandNames } from "./command-table.ts";
import {
  type FilesSettings,
  filesSettings,
  type ImageSettings,
  imageSettings,
  type SmallCommand,
  smallCommand,
} from "./image-options.ts";
import { directoryForms, unpackOptionTable } from "./option-tables.ts";
import type { ProcessContext } from "./process-context.ts";
import { parseSize } from "./quantities.ts";
import { UsageError } from "./usage-error.ts";

/** The arguments of `oci-unpack IMAGE DIRECTORY`. */
export interface UnpackCommand extends Destination, ImageSettings {
  readonly name: "unpack";
  readonly options: ImageSettings["options"] & FilesSettings & Pick<UnpackOptions, "add" | "mtree" | "keep" | "clone">;
  /** Whether the directory becomes a bundle for a container runtime, and for a runtime of which user. */
  readonly bundle: "none" | "for root" | "for this user";
}

type UnpackLine = CommandLine<typeof unpackOptionTable>;

/** Parses the arguments of `oci-unpack IMAGE DIRECTORY`. */
export function parseUnpack(args: readonly string[], env: ProcessContext["env"]): UnpackCommand | SmallCommand {
  const line = parseCommandLine(unpackOptionTable, args, (word) => refuseMisplacedCommand(word, args));
  const [word] = line.positionals;
  const small = smallCommand(line, commandNames.find((each) => each === word) ?? "unpack");
  if (small !== undefined) return small;
  refuseMisplacedCommand(word, args);
  return unpackCommand(line, env);
}

function unpackCommand(line: UnpackLine, env: ProcessContext["env"]): UnpackCommand {
  const { values } = line;
  const settings = imageSettings(line, env);
  const target = destination(line);
  if (values.mtree === "-") {
    throw new UsageError(
      "cannot write the mtree list to standard output: it has to be a file",
      "a file of that name is ./-",
    );
  }
  if (values["verity-file"] === "-") {
    throw new UsageError(
      "cannot write the hash tree to standard output: it has to be a file",
      "a file of that name is ./-",
    );
  }
  return {
    name: "unpack",
    ...target,
    ...settings,
    options: present({
      ...settings.options,
      ...filesSettings(line),
      mtree: values.mtree,
      add: addedFiles(values["add-file"]),
      keep: keep(values, settings),
      clone: values.clone,
    }),
    bundle: bundle(values),
  };
}

/** Whether the output is kept in the store. */
function keep({ keep, clone }: UnpackLine["values"], { store }: ImageSettings): boolean | undefined {
  if ((keep !== true && clone === undefined) || store !== undefined) return keep;
  throw new UsageError(
    "cannot keep the output: there is no store that it could be kept in",
    "name it with --store DIR, or with OCI_UNPACK_STORE",
  );
}

function bundle(values: UnpackLine["values"]): UnpackCommand["bundle"] {
  if (!values.bundle) return "none";
  return values.rootless ? "for this user" : "for root";
}

/** The form of the output, with the options that belong to it. */
export type OutputChoice =
  | { readonly form: "rootfs" | "files" }
  | { readonly form: "overlay"; readonly kind: OverlayKind | undefined; readonly mount: string | undefined }
  | ({ readonly form: ExportForm } & Pick<ExportOptions, "sizeBytes" | "verity" | "verityFile">)
  | { readonly form: CopyForm; readonly allPlatforms: boolean; readonly signatures: boolean };

/** The image, the output's form and its destination: a directory, a file, or `-` for standard output. */
interface Destination {
  readonly image: string;
  readonly directory: string;
  readonly output: OutputChoice;
}

/** The image, the output's form and its destination in a command line. */
function destination({ values, positionals }: UnpackLine): Destination {
  const form = values.output ?? "rootfs";
  const output = outputChoice(form, values);
  refuseStrayOptions(form, values);
  if (form === "rootfs" || form === "overlay" || form === "files") {
    const [image, directory] = imageAndDirectory(positionals, form);
    return { image, directory, output };
  }
  const [image, directory] = imageAndFile(positionals, values, form);
  return { image, directory, output };
}

function outputChoice(form: OutputChoice["form"], values: UnpackLine["values"]): OutputChoice {
  switch (form) {
    case "rootfs":
    case "files":
      return { form };
    case "overlay":
      return { form, kind: values.overlay, mount: values.mount };
    case "tar":
    case "erofs":
    case "squashfs":
    case "ext4":
      return present({
        form,
        sizeBytes: imageSize(values.size),
        verity: values.verity,
        verityFile: values["verity-file"],
      });
    default:
      return { form, allPlatforms: values["all-platforms"] ?? false, signatures: values.signatures ?? false };
  }
}

function imageSize(text: string | undefined): number | undefined {
  const bytes = text === undefined ? undefined : parseSize(text);
  if (text === undefined || bytes !== undefined) return bytes;
  throw new UsageError(
    `cannot use --size: a size such as 500M or 10G is expected, found "${text}"`,
    "for instance --size 2G",
  );
}

/** The options for owners. In a file and in a copy, owners are always those of the image. */
const ownerOptions = ["owner", "rootless", "uid-map", "gid-map"] as const;

/** The options for what only the files of images have. */
const imageFileOptions = ["devices", "xattr-include", "xattr-exclude", "keep-dirlinks"] as const;

/** Refuses options that have no meaning for this form. */
function refuseStrayOptions(form: OutputChoice["form"], values: UnpackLine["values"]): void {
  const isDirectory = directoryForms.some((each) => each === form);
  const isExport = exportForms.some((each) => each === form);
  const isCopy = !isDirectory && !isExport;
  const isFileSystem = isExport && form !== "tar";
  const isFiltered = form === "rootfs" || isExport;
  const mergedForms = `--output rootfs, ${exportForms.join(", ")}`;
  const partForms = `${mergedForms}, files`;
  const stray = [
    ["--overlay", values.overlay !== undefined && form !== "overlay", "--output overlay"],
    ["--mount", values.mount !== undefined && form !== "overlay", "--output overlay"],
    ["--all-platforms", values["all-platforms"] === true && !isCopy, "--output layout or oci-archive"],
    [
      "--signatures",
      values.signatures === true && !["layout", "oci-archive"].includes(form),
      "--output layout or oci-archive",
    ],
    ["-o", values["output-file"] !== undefined && isDirectory, `--output ${[...exportForms, ...copyForms].join(", ")}`],
    ["--include", values.include !== undefined && !isFiltered && form !== "files", partForms],
    ["--exclude", values.exclude !== undefined && !isFiltered && form !== "files", partForms],
    ["--add-file", values["add-file"] !== undefined && !isFiltered, mergedForms],
    ["--partial", values.partial === true && !isFiltered, mergedForms],
    ["--keep", values.keep === true && !isFiltered, mergedForms],
    ["--verity", values.verity === true && !isFileSystem, "--output erofs, squashfs or ext4"],
    ["--verity-file", values["verity-file"] !== undefined && !isFileSystem, "--output erofs, squashfs or ext4"],
    ["--size", values.size !== undefined && form !== "ext4", "--output ext4"],
    ...ownerOptions.map((name) => {
      return [
        `--${name}`,
        values[name] !== undefined && form !== "rootfs" && form !== "overlay",
        "--output rootfs or overlay: in a file or a copy, owners are the image's, and files of an artifact are yours",
      ] as const;
    }),
    ...imageFileOptions.map((name) => {
      return [
        `--${name}`,
        values[name] !== undefined && (isCopy || form === "files"),
        `${mergedForms}, overlay`,
      ] as const;
    }),
    ["--clone", values.clone !== undefined && form !== "rootfs", "--output rootfs"],
    ["--bundle", values.bundle === true && form !== "rootfs", "--output rootfs"],
    ["--mtree", values.mtree !== undefined && form !== "rootfs", "--output rootfs"],
  ] as const;
  for (const [option, isStray, wanted] of stray) {
    if (isStray)
      throw new UsageError(`cannot use ${option}: it goes with ${wanted}`, `add that, or leave ${option} out`);
  }
}

function imageAndDirectory(positionals: readonly string[], form: (typeof directoryForms)[number]): [string, string] {
  const [image, directory, surplus] = positionals;
  if (image === undefined || image === "") {
    throw new UsageError(
      "cannot unpack: IMAGE and DIRECTORY are missing",
      "try oci-unpack debian:stable ./debian, or oci-unpack --help",
    );
  }
  if (directory === undefined || directory === "") {
    throw new UsageError("cannot unpack: DIRECTORY is missing", `try oci-unpack ${image} ./${form}`);
  }
  if (surplus !== undefined) {
    throw new UsageError(
      `cannot unpack: unexpected argument "${surplus}" after IMAGE and DIRECTORY`,
      "one command unpacks one image; quote a DIRECTORY that has spaces",
    );
  }
  if (directory === "-") {
    throw new UsageError(
      'cannot unpack into "-": a directory does not fit into standard output',
      "--output tar -o - writes an archive there; a directory of that name is ./-",
    );
  }
  return [image, directory];
}

function imageAndFile(
  [image, surplus]: readonly string[],
  { "output-file": file, json }: UnpackLine["values"],
  form: CopyForm | ExportForm,
): [string, string] {
  const attempted = `cannot make ${form}`;
  if (image === undefined || image === "") {
    throw new UsageError(`${attempted}: IMAGE is missing`, `try oci-unpack --output ${form} -o PATH debian:stable`);
  }
  if (surplus !== undefined) {
    throw new UsageError(`${attempted}: unexpected argument "${surplus}" after IMAGE`, "name the destination with -o");
  }
  const isArchive = form === "tar" || form.endsWith("archive");
  if (file === undefined) {
    throw new UsageError(`${attempted}: the destination is missing`, `add -o PATH${isArchive ? ", or -o -" : ""}`);
  }
  if (file !== "-") return [image, file];
  if (!isArchive) {
    const reason = form === "layout" ? "a layout is a directory" : "a file system is made in a file";
    throw new UsageError(`${attempted} on standard output: ${reason}`, "name a place with -o PATH");
  }
  if (json)
    throw new UsageError(
      "cannot write both an archive and JSON to standard output",
      "name a file for the archive: -o PATH",
    );
  return [image, file];
}
