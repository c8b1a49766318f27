import { present } from "../base/present.ts";
import type { Image } from "../image/resolve.ts";
import type { EventLog } from "../operation/event-log.ts";
import type { UnpackOptions } from "../operation/options.ts";
import type { Documents } from "../output/new-directory.ts";

/** What decides whether the documents are a bundle's, and whose. */
export type BundleChoice = Pick<UnpackOptions, "bundle" | "uidMap" | "gidMap">;

/** The documents beside a root filesystem, which lies in `staging` meanwhile: in a bundle users are looked up there. */
export async function documentsOf(
  image: Image,
  staging: string,
  { bundle, uidMap, gidMap }: BundleChoice,
  events: EventLog,
): Promise<Documents> {
  if (bundle === undefined || bundle === false) return { "config.json": image.configBytes };
  const { bundleOf } = await import("../bundle/bundle.ts");
  const rootless = bundle === true ? undefined : bundle;
  const { config, leftOut, unmappedUser } = bundleOf(image.config, staging, present({ rootless, uidMap, gidMap }));
  if (leftOut.length > 0) events.tell({ type: "warning", code: "LABEL_LEFT_OUT", message: labelsLeftOut(leftOut) });
  if (unmappedUser !== undefined) {
    const { uid, gid } = unmappedUser;
    const [whereNot, whoElse] =
      uidMap === undefined && gidMap === undefined
        ? ["a bundle for one user, which has root alone", "0:0"]
        : ["the bundle's user namespace, which has those of the maps", "one of these"];
    const message = `the image's user ${uid}:${gid} is not in ${whereNot}: runtimes start it when "process.user" in its config.json is ${whoElse}`;
    events.tell({ type: "warning", code: "USER_NOT_MAPPED", message });
  }
  return { "image-config.json": image.configBytes, "config.json": config };
}

function labelsLeftOut(labels: readonly string[]): string {
  const shown = labels.slice(0, 3).map((label) => `"${label.slice(0, 100)}"`);
  const others = labels.length - shown.length;
  const names = `${shown.join(", ")}${others === 0 ? "" : ` and ${others} more`}`;
  return `labels that a runtime would obey are no annotations of the bundle: ${names}`;
}
