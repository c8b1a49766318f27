import { OciUnpackError } from "./errors.ts";

/**
 * Throws `UNSUPPORTED_SYSTEM` where a thread cannot use a file that another one opened: with Deno, which numbers them
 * itself. `attempted` is an infinitive.
 */
export function insistOnSharedDescriptors(attempted: string): void {
  if (!("Deno" in globalThis)) return;
  throw new OciUnpackError(
    "UNSUPPORTED_SYSTEM",
    `cannot ${attempted}: with Deno a thread cannot use a file that another one opened`,
    { hint: "run this with Node or Bun" },
  );
}
