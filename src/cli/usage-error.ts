/** A command line that says nothing we can do. It ends the command with exit code 2 before anything is contacted or touched. */
export class UsageError extends Error {
  readonly code = "INVALID_OPTION";
  readonly hint: string;

  constructor(message: string, hint = "oci-unpack --help lists the options") {
    super(message);
    this.name = "UsageError";
    this.hint = hint;
  }
}
