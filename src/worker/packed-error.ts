import { type ErrorCode, type ErrorDetails, OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { errorCode } from "../base/system-error.ts";

/** An error of this library as a plain object, because a message between threads does not keep an error's class. */
export interface PackedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: ErrorDetails;
  readonly cause: PackedCause | undefined;
}

/** The cause of an error: one of this library, any other error, or a thrown value that is no error. */
type PackedCause =
  | { readonly type: "library"; readonly error: PackedError }
  | {
      readonly type: "foreign";
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly code: string | undefined;
      readonly cause: PackedCause | undefined;
    }
  | { readonly type: "thrown"; readonly text: string };

/** More than any chain of causes in this library. Causes could lead in a circle. */
const mostCauses = 8;

/** Packs any error. One that is not of this library is a defect: it becomes the cause of an `INTERNAL` error. */
export function packError(error: unknown, depth = 0): PackedError {
  if (error instanceof OciUnpackError) {
    const { code, message, hint, details, cause } = error;
    return { code, message, hint, details, cause: packCause(cause, depth + 1) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "INTERNAL", message, hint: undefined, details: {}, cause: packCause(error, depth + 1) };
}

function packCause(cause: unknown, depth: number): PackedCause | undefined {
  if (cause === undefined || depth > mostCauses) return undefined;
  if (cause instanceof OciUnpackError) return { type: "library", error: packError(cause, depth) };
  if (!(cause instanceof Error)) return { type: "thrown", text: String(cause) };
  const { name, message, stack } = cause;
  return { type: "foreign", name, message, stack, code: errorCode(cause), cause: packCause(cause.cause, depth + 1) };
}

/** Makes the error again that another thread packed. */
export function unpackError({ code, message, hint, details, cause }: PackedError): OciUnpackError {
  return new OciUnpackError(code, message, present({ hint, details, cause: unpackCause(cause) }));
}

function unpackCause(packed: PackedCause | undefined): unknown {
  if (packed === undefined) return undefined;
  if (packed.type === "library") return unpackError(packed.error);
  if (packed.type === "thrown") return packed.text;
  const { name, message, stack, code } = packed;
  const cause = unpackCause(packed.cause);
  return Object.assign(new Error(message, present({ cause })), present({ name, stack, code }));
}
