import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";
import { type ErrorDetails, OciUnpackError } from "../base/errors.ts";
import { present } from "../base/present.ts";
import { machineHint } from "../base/system-error.ts";

/** The numbers of errors on this machine, by their names. */
export const errnos = constants.errno;

const namesByNumber = new Map(Object.entries(errnos).map(([name, number]) => [number, name]));

/** The error for a system call that failed. The message names the call. */
export class SystemError extends OciUnpackError {
  /** The name of the error, such as "EACCES". */
  readonly errno: string;

  /**
   * `attempted` says what was to be done, as an infinitive. `call` is the system call with the arguments that matter.
   */
  constructor(attempted: string, call: string, errno: number, details: ErrorDetails = {}) {
    const name = namesByNumber.get(errno) ?? `error ${errno}`;
    const isFull = errno === errnos.ENOSPC || errno === errnos.EDQUOT;
    const hint = machineHint(name);
    super(isFull ? "NO_SPACE" : "FILE_SYSTEM", `cannot ${attempted}: ${call} failed with ${name}${meaningOf(errno)}`, {
      ...present({ hint }),
      details: { ...details, errno: name },
    });
    this.errno = name;
  }
}

function meaningOf(errno: number): string {
  const meaning = getSystemErrorMap().get(-errno)?.[1];
  return meaning === undefined ? "" : ` (${meaning})`;
}
