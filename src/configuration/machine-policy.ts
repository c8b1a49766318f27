import { access } from "node:fs/promises";
import { join } from "node:path";
import { checkOptions } from "../base/option-checks.ts";
import { type Machine, machineKinds, machineNeeds, settledMachine } from "./machine.ts";

/**
 * The policy that podman would use on this machine, for the option `trust.policy`: that of the user, or else of the system
 * (containers-policy.json(5)). `undefined` if there is none.
 */
export async function machinePolicy(machine: Machine): Promise<string | undefined> {
  checkOptions(machine, machineKinds, machineNeeds);
  const { homeDirectory, systemDirectory = "/etc" } = settledMachine(machine);
  const [ofUser, ofSystem] = [
    join(homeDirectory, ".config/containers/policy.json"),
    join(systemDirectory, "containers/policy.json"),
  ];
  if (await isThere(ofUser)) return ofUser;
  return (await isThere(ofSystem)) ? ofSystem : undefined;
}

/** As podman has it: what this user may not look at is not there. */
async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
