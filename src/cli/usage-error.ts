/** A command line that says nothing we can do. It ends the command with exit code 2 before anything is contacted or touched. */
export class UsageError extends Error {
  readonly code = "INVALID_OPTION";
  /** Absent: the help of the command tells more. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "UsageError";
    this.hint = hint;
  }
}
