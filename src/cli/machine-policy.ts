import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { EventListener, UnpackOptions } from "../index.ts";
import type { ImageSettings } from "./image-options.ts";
import { machineOf, type ProcessContext } from "./process-context.ts";
import { UsageError } from "./usage-error.ts";

/** The function of the library that is used here. */
export type PolicyLibrary = Pick<typeof Library, "machinePolicy">;

/** What is demanded, with the machine's policy where that is. With `--explain` a policy that nobody asked for is told. */
export async function demandedTrust(
  { options: { trust }, explain }: Pick<ImageSettings, "options" | "explain">,
  context: ProcessContext,
  onEvent: EventListener,
  { machinePolicy }: PolicyLibrary,
): Promise<Pick<UnpackOptions, "trust">> {
  if (trust?.policy === "machine") {
    return { trust: { ...trust, policy: (await machinePolicy(machineOf(context))) ?? noPolicy() } };
  }
  const unused = explain && trust?.policy === undefined ? await machinePolicy(machineOf(context)) : undefined;
  if (unused !== undefined) {
    const message = `${unused} was not asked for and does not count (--policy machine)`;
    onEvent({ type: "decision", topic: "signature", message });
  }
  return present({ trust });
}

function noPolicy(): never {
  throw new UsageError(
    "cannot use --policy machine: there is neither ~/.config/containers/policy.json nor /etc/containers/policy.json",
    "name the file of a policy: --policy FILE",
  );
}
