import type { Image } from "../image/resolve.ts";
import type { EventLog } from "../operation/event-log.ts";
import type { UnpackOptions } from "../operation/options.ts";
import type { Documents } from "../output/new-directory.ts";

/** The documents beside a root filesystem, which lies in `staging` meanwhile: in a bundle users are looked up there. */
export async function documentsOf(
  image: Image,
  staging: string,
  bundle: UnpackOptions["bundle"],
  events: EventLog,
): Promise<Documents> {
  if (bundle === undefined || bundle === false) return { "config.json": image.configBytes };
  const { bundleOf } = await import("../bundle/bundle.ts");
  const { config, leftOut, unmappedUser } = bundleOf(image.config, staging, bundle === true ? undefined : bundle);
  if (leftOut.length > 0) events.tell({ type: "warning", code: "LABEL_LEFT_OUT", message: labelsLeftOut(leftOut) });
  if (unmappedUser !== undefined) {
    const { uid, gid } = unmappedUser;
    const message = `the image's user ${uid}:${gid} is not in a bundle for one user, which has root alone: runtimes start it when "process.user" in its config.json is 0:0`;
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
