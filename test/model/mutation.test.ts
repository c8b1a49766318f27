import { describe, test } from "node:test";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessRoot } from "../support/tools.ts";
import { assertHarmless } from "./mutated-archive.ts";

const seeds = isThorough ? 3000 : 500;
const seedsPerTest = 500;

describe("an archive that is damaged is a tree or a typed error", { skip: skipUnlessRoot() }, () => {
  for (let first = 0; first < seeds; first += seedsPerTest) {
    test(`for the damages of seeds ${first} to ${first + seedsPerTest - 1}`, () => {
      for (let seed = first; seed < first + seedsPerTest; seed++) assertHarmless(seed);
    });
  }
});
