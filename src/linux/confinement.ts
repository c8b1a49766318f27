import { OciUnpackError } from "../base/errors.ts";
import type { SandboxStatus } from "../base/events.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { type Confinement, confine } from "./landlock.ts";
import { hasOpenat2 } from "./syscalls.ts";

/**
 * Confines the calling thread until it ends, as the policy says.
 *
 * Throws `SANDBOX_UNAVAILABLE` if the policy requires what the kernel cannot do.
 */
export function confineThread(policy: SandboxPolicy, confinement: Confinement): SandboxStatus {
  const status = confined(policy, confinement);
  return hasOpenat2() ? status : { ...status, withoutOpenat2: true };
}

function confined(policy: SandboxPolicy, confinement: Confinement): SandboxStatus {
  if (policy === "off") return { state: "off" };
  const result = confine(confinement);
  if ("abi" in result) return { state: "enforced", abi: result.abi };
  if (policy === "prefer") return { state: "unavailable", reason: result.reason };
  throw new OciUnpackError("SANDBOX_UNAVAILABLE", `cannot confine the unpacking threads: ${result.reason}`, {
    hint: 'use a kernel with Landlock (5.13 or newer), or allow going without it: `sandbox: "prefer"`',
  });
}
