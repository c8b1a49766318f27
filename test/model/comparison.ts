import { isDeepStrictEqual } from "node:util";
import type { ErrorCode } from "../../src/base/errors.ts";
import { applied } from "../rules/apply.ts";
import { archived } from "./archive.ts";
import type { Listing } from "./listing.ts";
import type { Stack } from "./member.ts";
import { modelled, Refusal, Unspecified } from "./model.ts";

/** What the model and the program make of one stack, where they do not make the same of it. */
export interface Disagreement {
  readonly model: Listing | "refused";
  readonly program: Listing | ErrorCode;
  readonly message?: string;
}

/** Applies a stack in memory and on disk; `undefined` where both come to the same, or the rules leave it open. */
export function disagreement(stack: Stack): Disagreement | undefined {
  const program = applied(stack.map(archived));
  const model = expected(stack);
  const isRefused = typeof program.outcome === "string";
  if (model === "unspecified" || (model === "refused" && isRefused && program.outcome !== "INTERNAL")) return undefined;
  if (isDeepStrictEqual(model, program.outcome)) return undefined;
  return { model, program: program.outcome, ...(program.message !== undefined && { message: program.message }) };
}

function expected(stack: Stack): Listing | "refused" | "unspecified" {
  try {
    return modelled(stack);
  } catch (error) {
    if (error instanceof Refusal) return "refused";
    if (error instanceof Unspecified) return "unspecified";
    throw error;
  }
}
