import { pathOf } from "../../base/option-checks.ts";
import { readOptionFile } from "../option-file.ts";
import { parsePolicy, type TrustPolicy } from "./policy.ts";

/** The option with a policy. */
export const policyOption = "trust.policy";

/** Reads a policy. Throws `INVALID_OPTION`. */
export async function readPolicy(policy: string | URL): Promise<TrustPolicy> {
  const path = pathOf(policyOption, policy);
  return parsePolicy(await readPolicyFile(path, "policy"), path);
}

/** The bytes of a policy, or of a file that it names. Throws `INVALID_OPTION`. */
export function readPolicyFile(path: string, what: string): Promise<Uint8Array> {
  const hint = what === "policy" ? "name the file of a policy" : `check the path of the ${what} in the policy`;
  return readOptionFile(path, { option: policyOption, what, hint });
}
