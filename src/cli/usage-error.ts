/** An error in the command line. The command ends with exit code 2 before anything is requested or changed. */
export class UsageError extends Error {
  readonly code = "INVALID_OPTION";
  /** Absent: the hint is to read the command's help. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "UsageError";
    this.hint = hint;
  }
}
