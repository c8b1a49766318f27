import { test } from "node:test";
import { skipWithout } from "../support/tools.ts";
import { assertUnpacksLikeTar } from "./images.ts";
import { makers } from "./layers.ts";

const skip = skipWithout("gzip", "tar");

test("layers that end where a buffer does become what gzip -d and GNU tar make of them", { skip }, () =>
  assertUnpacksLikeTar("zlib", 40, 1),
);

const skipTools = skipWithout("gzip", ...makers);

test("so do those that GNU tar, gzip, bsdtar and Python make", { skip: skipTools }, () =>
  assertUnpacksLikeTar("tools", 12, 2),
);

const skipUmoci = skip || skipWithout("umoci");

test("so do those that umoci makes, which Go compresses", { skip: skipUmoci }, () =>
  assertUnpacksLikeTar("umoci", 6, 3),
);
