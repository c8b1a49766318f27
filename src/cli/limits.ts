import { suggestion } from "../base/suggestion.ts";
import type { Limits } from "../index.ts";
import { parseSize, sizeUnits } from "./quantities.ts";
import { UsageError } from "./usage-error.ts";

/** Parses `NAME=VALUE` options. `totalBytes=10G` is ten times 1024³. */
export function parseLimits(options: readonly string[], defaults: Limits): Partial<Limits> {
  return Object.fromEntries(options.map((option) => parseLimit(option, defaults)));
}

/** All limits with their defaults, one on each line. */
export function limitsHelp(defaults: Limits): string {
  const width = Math.max(...Object.keys(defaults).map((name) => name.length));
  const lines = Object.entries(defaults).map(([name, value]) => `  ${name.padEnd(width)}  ${sizeText(name, value)}`);
  return `Limits and their defaults, for --limit NAME=VALUE:\n${lines.join("\n")}\n${sizeHelp}\n`;
}

const sizeHelp = "K, M, G and T (or KiB, MiB, …) are powers of 1024; KB, MB, GB and TB powers of 1000.";

function parseLimit(option: string, defaults: Limits): [string, number] {
  const equals = option.indexOf("=");
  const name = equals < 0 ? option : option.slice(0, equals);
  if (!Object.hasOwn(defaults, name)) throw unknownLimit(name, defaults);
  return [name, parseValue(name, equals < 0 ? "" : option.slice(equals + 1))];
}

function parseValue(name: string, text: string): number {
  const value = parseSize(text);
  if (value === undefined || (/\D/.test(text) && !countsBytes(name))) {
    const wanted = countsBytes(name) ? "a size such as 500M or 10G" : "a whole number";
    throw new UsageError(`cannot set a limit: ${name} takes ${wanted}, found "${text}"`, exampleOf(name));
  }
  return value;
}

function unknownLimit(name: string, defaults: Limits): UsageError {
  const meant = suggestion(name, Object.keys(defaults));
  return new UsageError(
    `cannot set a limit: there is none called "${name}"`,
    meant === undefined ? "--limit help lists them" : `did you mean --limit ${meant}=…?`,
  );
}

function exampleOf(name: string): string {
  return `for instance --limit ${name}=${countsBytes(name) ? "10G" : "1000"}`;
}

function sizeText(name: string, value: number): string {
  if (!countsBytes(name)) return String(value);
  const unit = ["T", "G", "M", "K"].find((letter) => value % (sizeUnits[letter] ?? 1) === 0) ?? "";
  return `${value / (sizeUnits[unit] ?? 1)}${unit}`;
}

function countsBytes(name: string): boolean {
  return name.endsWith("Bytes");
}
