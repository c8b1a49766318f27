import type { CopyForm, OverlayKind } from "../index.ts";
import { type CommandLine, oneOf } from "./command-line.ts";
import type { unpackOptionTable } from "./option-tables.ts";
import { UsageError } from "./usage-error.ts";

const directoryForms = ["rootfs", "overlay"] as const;
const copyForms = ["layout", "oci-archive", "docker-archive"] as const;

/** What the image becomes, and how, as far as the command line says. */
export type OutputWish =
  | { readonly form: "rootfs" }
  | { readonly form: "overlay"; readonly kind: OverlayKind | undefined; readonly mount: string | undefined }
  | { readonly form: CopyForm; readonly allPlatforms: boolean };

/** What an image is to become, and where: a directory, a file, or `-` for standard output. */
export interface Destination {
  readonly image: string;
  readonly directory: string;
  readonly output: OutputWish;
}

type UnpackLine = CommandLine<typeof unpackOptionTable>;

/** Reads what the image is to become. */
export function destination({ values, positionals }: UnpackLine): Destination {
  const form = oneOf("--output", values.output, [...directoryForms, ...copyForms]) ?? "rootfs";
  const output = outputWish(form, values);
  refuseStrayOptions(form, values);
  if (form === "rootfs" || form === "overlay") {
    const [image, directory] = imageAndDirectory(positionals, form);
    return { image, directory, output };
  }
  const [image, directory] = imageAndFile(positionals, values, form);
  return { image, directory, output };
}

function outputWish(form: OutputWish["form"], values: UnpackLine["values"]): OutputWish {
  switch (form) {
    case "rootfs":
      return { form };
    case "overlay": {
      const kind = oneOf("--overlay", values.overlay, ["privileged", "userxattr"]);
      return { form, kind, mount: values.mount };
    }
    default:
      return { form, allPlatforms: values["all-platforms"] ?? false };
  }
}

/** Options that mean something for one form only are a mistake with any other. */
function refuseStrayOptions(form: OutputWish["form"], values: UnpackLine["values"]): void {
  const isCopy = form !== "rootfs" && form !== "overlay";
  const stray = [
    ["--overlay", values.overlay !== undefined && form !== "overlay", "--output overlay"],
    ["--mount", values.mount !== undefined && form !== "overlay", "--output overlay"],
    ["--all-platforms", values["all-platforms"] === true && !isCopy, "--output layout or oci-archive"],
    ["-o", values["output-file"] !== undefined && !isCopy, "--output layout, oci-archive or docker-archive"],
    ["--bundle", values.bundle === true && form !== "rootfs", "--output rootfs"],
  ] as const;
  for (const [option, isStray, wanted] of stray) {
    if (isStray) throw new UsageError(`cannot use ${option}: it goes with ${wanted}`);
  }
}

function imageAndDirectory(positionals: readonly string[], form: "rootfs" | "overlay"): [string, string] {
  const [image, directory, surplus] = positionals;
  if (image === undefined) {
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
  return [image, directory];
}

function imageAndFile(
  [image, surplus]: readonly string[],
  { "output-file": file, json }: UnpackLine["values"],
  form: CopyForm,
): [string, string] {
  if (image === undefined) {
    throw new UsageError("cannot copy: IMAGE is missing", `try oci-unpack --output ${form} -o PATH debian:stable`);
  }
  if (surplus !== undefined) {
    throw new UsageError(`cannot copy: unexpected argument "${surplus}" after IMAGE`, "name the destination with -o");
  }
  if (file === undefined) {
    throw new UsageError(
      "cannot copy: the destination is missing",
      `add -o PATH${form === "layout" ? "" : ", or -o -"}`,
    );
  }
  if (file !== "-") return [image, file];
  if (form === "layout") throw new UsageError("cannot copy into standard output: a layout is a directory");
  if (json) throw new UsageError("cannot write both an archive and JSON to standard output");
  return [image, file];
}
