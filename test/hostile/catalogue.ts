import type { Attack, HostileCase } from "./case.ts";
import { archiveCases } from "./cases-archives.ts";
import { imageCases } from "./cases-images.ts";
import { linkCases } from "./cases-links.ts";

/** All hostile images. */
export const hostileCases: readonly HostileCase[] = [...linkCases, ...archiveCases, ...imageCases];

/** Classes of attack that are more than an image, and the test in tampering.test.ts that makes such an attack. */
export const testedElsewhere: Readonly<Partial<Record<Attack, string>>> = {
  E: "no canary is touched while another process swaps directories for symlinks",
};
