import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { shareOf } from "../support/thorough.ts";
import { type Fault, faults, sample } from "./fault.ts";
import { outputs } from "./outputs.ts";
import { places } from "./places.ts";
import { setStage } from "./stage.ts";

/** Where a source cannot tell a fault from another. */
const otherwise: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // Whatever is wrong with a kept blob, it counts as one that is not there.
  "--offline": {
    "a layer has other bytes": "NOT_FOUND",
    "a layer has other bytes, which are not gzip's": "NOT_FOUND",
    "a layer is too short": "NOT_FOUND",
    "a layer is too long": "NOT_FOUND",
  },
};

for (const [number, [source, place]] of Object.entries(places).entries()) {
  describe(`from ${source}`, () => {
    for (const fault of shareOf(5, faults, number)) {
      const code = otherwise[source]?.[fault.title] ?? fault.code;
      test(`${fault.title}: ${code}, and nothing is left behind`, async () => {
        await using stage = await setStage();
        await using placed = await place(fault, stage);
        const told = await stage.fails([...placed.args, join(stage.place, "target")], placed.env);
        assert.equal(told.code, code, told.message);
      });
    }

    test("without a fault, the image is unpacked", async () => {
      await using stage = await setStage();
      const none: Fault = { title: "none", image: sample, code: "INTERNAL" };
      await using placed = await place(none, stage);
      await stage.succeeds([...placed.args, join(stage.place, "target")], placed.env);
    });
  });
}

/** What copies an image as it is looks at digests and sizes alone: an image that is wrong in itself is wrong in the copy. */
const copies = ["layout", "oci-archive", "docker-archive"];

for (const [number, [name, { args, skip }]] of Object.entries(outputs).entries()) {
  if (name === "rootfs") continue; // from every source above
  describe(`into ${name}`, { skip }, () => {
    for (const fault of shareOf(5, faults, number)) {
      if (copies.includes(name) && fault.image !== undefined) continue;
      test(`${fault.title}: ${fault.code}, and nothing is left behind`, async () => {
        await using stage = await setStage();
        await using placed = await (places["oci:"] ?? assert.fail())(fault, stage);
        const told = await stage.fails(args(placed.args[0] ?? "", join(stage.place, "target")), placed.env);
        assert.equal(told.code, fault.code, told.message);
      });
    }
  });
}
