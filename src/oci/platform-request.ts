import { formatPlatform, normalizePlatform, type Platform, parsePlatform } from "./platform.ts";

/** Which platform an image is wanted for. */
export interface PlatformRequest {
  readonly platform: Platform;
  /** Whether the caller asked for it, or for a part of it. Otherwise it is this machine's. */
  readonly explicit: boolean;
  /** The platforms that may be used, the best first. The first one is the platform itself. */
  readonly acceptable: readonly Platform[];
  /** Whether any other platform may be used if there is none of these. */
  readonly acceptsAny?: boolean;
}

/**
 * What `asked` means on this host. Parts that it does not name are the host's.
 *
 * What is asked for decides which other platforms may be used instead. With a variant: none. With an architecture: its
 * lower variants. With neither: everything that the host can run, also arm on arm64. The order is containerd's, except
 * that amd64 does not include 386. A higher variant is never used, because this machine may be unable to run it.
 */
export function requestPlatform(asked: string | Partial<Platform> | undefined, host: Platform): PlatformRequest {
  const parts = typeof asked === "string" ? parsePlatform(asked) : definedParts(asked ?? {});
  const platform = checked(
    parts.architecture === undefined
      ? { ...host, ...parts }
      : { os: host.os, ...parts, architecture: parts.architecture },
  );
  return { platform, explicit: Object.keys(parts).length > 0, acceptable: [platform, ...substitutes(platform, parts)] };
}

function substitutes(platform: Platform, asked: Partial<Platform>): readonly Platform[] {
  const isVariantAsked =
    asked.variant !== undefined || (asked.architecture !== undefined && platform.variant !== undefined);
  if (isVariantAsked) return [];
  return asked.architecture === undefined
    ? [...lowerVariants(platform), ...otherArchitectures(platform)]
    : lowerVariants(platform);
}

/** How well `candidate` fits the request: 0 is best, `undefined` means that it cannot be used. */
export function rank(request: PlatformRequest, candidate: Platform): number | undefined {
  const { platform, acceptable, acceptsAny } = request;
  const index = meetsSystem(platform, candidate) ? acceptable.findIndex((one) => isSameProcessor(one, candidate)) : -1;
  if (index >= 0) return index;
  return acceptsAny ? acceptable.length : undefined;
}

/** The same request, for which any platform may be used if there is no better one. */
export function anyPlatform(request: PlatformRequest): PlatformRequest {
  return { ...request, acceptsAny: true };
}

function definedParts(asked: Partial<Platform>): Partial<Platform> {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

/** Checks the syntax of a platform. An architecture may have its variant with it: `arm/v6`. */
function checked(platform: Platform): Platform {
  return normalizePlatform({ ...platform, ...parsePlatform(formatPlatform(platform)) });
}

/** The other architectures whose programs a platform can run: 32-bit arm on arm64. */
function otherArchitectures(platform: Platform): readonly Platform[] {
  if (platform.architecture !== "arm64") return [];
  const arm = { ...platform, architecture: "arm", variant: "v8" };
  return [arm, ...lowerVariants(arm)];
}

/** Whether an image for `candidate` fits the operating system. It may only need features that were asked for. */
function meetsSystem(wanted: Platform, candidate: Platform): boolean {
  if (candidate.os !== wanted.os) return false;
  if (wanted.osVersion !== undefined && candidate.osVersion !== wanted.osVersion) return false;
  return (candidate.osFeatures ?? []).every((feature) => wanted.osFeatures?.includes(feature) === true);
}

function isSameProcessor(one: Platform, other: Platform): boolean {
  return one.architecture === other.architecture && levelOf(one) === levelOf(other);
}

/** The variants, the highest first. "" is the basic variant, which is not written. */
const ladders: Readonly<Record<string, readonly string[]>> = {
  amd64: ["v4", "v3", "v2", ""],
  arm: ["v8", "v7", "v6", "v5"],
};

/** The variant for comparisons: "" for the basic one. arm without a variant means v7, as in containerd. */
function levelOf(platform: Platform): string {
  return platform.variant ?? (platform.architecture === "arm" ? "v7" : "");
}

/** The platform with the lower variants of its architecture, whose programs it can run too, the best first. */
function lowerVariants(platform: Platform): readonly Platform[] {
  const { variant: _, ...basic } = platform;
  const levels = levelsBelow(platform.architecture, levelOf(platform));
  return levels.map((variant) => (variant === "" ? basic : { ...basic, variant }));
}

function levelsBelow(architecture: string, level: string): readonly string[] {
  if (architecture === "arm64") return arm64LevelsBelow(level);
  const ladder = Object.hasOwn(ladders, architecture) ? (ladders[architecture] ?? []) : [];
  return ladder.includes(level) ? ladder.slice(ladder.indexOf(level) + 1) : [];
}

/** v9.0 is an extension of v8.5: v9.2 can run v9.1, v9, v8.7, v8.6 … v8. */
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
