import type { Platform } from "./platform.ts";

/** Highest first; "" is the basic variant, which goes without saying. */
const ladders: Readonly<Record<string, readonly string[]>> = {
  amd64: ["v4", "v3", "v2", ""],
  arm: ["v8", "v7", "v6", "v5"],
};

/** The variant as comparisons need it: "" for the basic one. arm without a variant means v7, as containerd reads it. */
export function levelOf(platform: Platform): string {
  return platform.variant ?? (platform.architecture === "arm" ? "v7" : "");
}

/** The variants of the same architecture whose programs such a processor runs too, best first. */
export function lowerVariants(platform: Platform): readonly Platform[] {
  const { variant: _, ...basic } = platform;
  const levels = levelsBelow(platform.architecture, levelOf(platform));
  return levels.map((variant) => (variant === "" ? basic : { ...basic, variant }));
}

function levelsBelow(architecture: string, level: string): readonly string[] {
  if (architecture === "arm64") return arm64LevelsBelow(level);
  const ladder = Object.hasOwn(ladders, architecture) ? (ladders[architecture] ?? []) : [];
  return ladder.includes(level) ? ladder.slice(ladder.indexOf(level) + 1) : [];
}

/** v9.0 grew out of v8.5: v9.2 runs v9.1, v9, v8.7, v8.6 … v8. */
function arm64LevelsBelow(level: string): readonly string[] {
  const [, major, digit = "0"] = /^v([89])(?:\.(\d))?$/.exec(level) ?? [];
  if (major === undefined) return [];
  const minor = Number(digit);
  return major === "8" ? minorsBelow("v8", minor) : [...minorsBelow("v9", minor), ...minorsBelow("v8", minor + 6)];
}

function minorsBelow(major: "v8" | "v9", minor: number): readonly string[] {
  const bare = major === "v8" ? "" : major;
  return Array.from({ length: minor }, (_, index) => minor - 1 - index).map((lower) =>
    lower === 0 ? bare : `${major}.${lower}`,
  );
}
