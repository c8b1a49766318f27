import { word } from "./option-checks.ts";

/** Whether the threads that touch image bytes must, should or need not be confined by Landlock. */
const sandboxPolicies = ["require", "prefer", "off"] as const;
export type SandboxPolicy = (typeof sandboxPolicies)[number];

export const sandboxKind = word(...sandboxPolicies);
