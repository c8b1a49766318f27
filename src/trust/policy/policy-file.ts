import { isOciUnpackError, OciUnpackError } from "../../base/errors.ts";
import { pathOf } from "../../base/option-checks.ts";
import { readSmallFile } from "../../base/small-file.ts";
import { fileSystemError } from "../../base/system-error.ts";
import { parsePolicy, type TrustPolicy } from "./policy.ts";

/** The option with a policy. */
export const policyOption = "trust.policy";

/** Reads a policy. Throws `INVALID_OPTION`. */
export async function readPolicy(policy: string | URL): Promise<TrustPolicy> {
  const path = pathOf(policyOption, policy);
  return parsePolicy(await readPolicyFile(path, "policy"), path);
}

/** The bytes of a policy, or of a file that it names. Throws `INVALID_OPTION`. */
export async function readPolicyFile(path: string, what: string): Promise<Uint8Array> {
  try {
    return await readSmallFile(path, "INVALID_OPTION");
  } catch (error) {
    const told = fileSystemError(error, `read the ${what} "${path}"`);
    if (!isOciUnpackError(told)) throw told;
    throw new OciUnpackError("INVALID_OPTION", told.message, {
      hint: what === "policy" ? "name the file of a policy" : `check the path of the ${what} in the policy`,
      details: { option: policyOption },
      cause: error,
    });
  }
}
