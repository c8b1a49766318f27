import { type Outcome, outcomeOf } from "../support/command.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { withUsualOptions } from "./usual.ts";

export interface NamespaceOptions {
  /** Shell commands that mount something; nobody else sees it, and it goes with the command. */
  readonly mounts: string;
  readonly args: readonly string[];
  /** Where temporary files go. */
  readonly temporary: string;
  /** Directories in which nothing may be left behind. */
  readonly watched: readonly string[];
}

/**
 * Runs the command among file systems of its own. What it leaves behind is told at the end of standard error, because
 * afterwards it is gone with them.
 */
export function outcomeInNamespace({ mounts, args, temporary, watched }: NamespaceOptions): Promise<Outcome> {
  const list = `find ${watched.map((path) => `'${path}'`).join(" ")} | sort`;
  const script = `
    set -e
    ${mounts}
    before=$(${list})
    status=0
    "$@" || status=$?
    after=$(${list})
    test "$before" = "$after" || echo "left behind: $after" >&2
    exit $status`;
  const command = [process.execPath, commandEntry, ...withUsualOptions(args)];
  return outcomeOf("unshare", ["--mount", "--", "sh", "-c", script, "sh", ...command], {
    environment: { TMPDIR: temporary, HOME: temporary, NO_COLOR: "1" },
  });
}
