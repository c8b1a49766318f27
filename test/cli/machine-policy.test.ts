import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import { demandedTrust } from "../../src/cli/machine-policy.ts";
import type { ProcessContext } from "../../src/cli/process-context.ts";
import type { TrustOptions } from "../../src/trust/options.ts";

const output = { write: () => true };
const context: ProcessContext = {
  ...{ env: {}, homeDirectory: "/nowhere", uid: 1000, gid: 1000 },
  input: Readable.from([]),
  binaryOutput: new PassThrough(),
  ...{ output, errors: output },
};

/** What a command demands on a machine with that policy, what it tells, and whether it looked for the policy at all. */
async function demanded(trust: TrustOptions | undefined, explain: boolean, found: string | undefined) {
  const told: string[] = [];
  let looks = 0;
  const machinePolicy = async () => {
    looks += 1;
    return found;
  };
  const command = { options: trust === undefined ? {} : { trust }, explain };
  const result = await demandedTrust(command, context, (event) => "message" in event && told.push(event.message), {
    machinePolicy,
  });
  return { ...result, told, looks };
}

test("--policy machine is the policy of the machine, beside whatever else is demanded", async () => {
  const { trust, told } = await demanded({ policy: "machine", keys: ["cosign.pub"] }, true, "/etc/policy.json");
  assert.deepEqual([trust, told], [{ policy: "/etc/policy.json", keys: ["cosign.pub"] }, []]);
});

test("where the machine has none, that is an error", async () => {
  const message = /^cannot use --policy machine: there is neither ~\/\.config\/containers\/policy\.json nor \/etc/;
  await assert.rejects(demanded({ policy: "machine" }, false, undefined), { message });
});

test("a file is taken as it is named", async () => {
  const { trust, told, looks } = await demanded({ policy: "./machine" }, true, "/etc/policy.json");
  assert.deepEqual([trust, told, looks], [{ policy: "./machine" }, [], 0]);
});

test("a policy that nobody asked for is told with --explain, and not looked for without", async () => {
  const explained = await demanded(undefined, true, "/etc/policy.json");
  assert.deepEqual(explained.told, ["/etc/policy.json was not asked for and does not count (--policy machine)"]);
  assert.deepEqual((await demanded({ keys: ["cosign.pub"] }, true, "/etc/policy.json")).told.length, 1);
  assert.deepEqual((await demanded(undefined, true, undefined)).told, []);
  assert.equal((await demanded(undefined, false, "/etc/policy.json")).looks, 0);
});
