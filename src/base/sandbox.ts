import { word } from "./option-checks.ts";
import { sandboxPolicies } from "./option-words.ts";

/** What a caller may pass as the option `sandbox`. */
export const sandboxKind = word(...sandboxPolicies);

/** How far the threads that touch image bytes are confined. */
export type SandboxStatus = (
  | { readonly state: "enforced"; readonly abi: number }
  | { readonly state: "unavailable"; readonly reason: string }
  | { readonly state: "off" }
) & {
  /** There is no `openat2` here (Linux before 5.6, or a filter): names are looked up component by component instead. */
  readonly withoutOpenat2?: true;
};
