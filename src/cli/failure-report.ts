import type { DecisionLog } from "./command-output.ts";
import { commandNames } from "./command-table.ts";
import { asksForEvents, asksForJson, asksForVerdict } from "./options.ts";
import type { ProcessContext } from "./process-context.ts";

/** Reports an error as text, and where JSON is asked for also so; to containerd, as the reason for a verdict. */
export async function reportFailure(
  thrown: unknown,
  args: readonly string[],
  context: ProcessContext,
  decisionLog: DecisionLog,
): Promise<number> {
  const [{ errorReportOf }, { debugLines, errorLines }, outputs, { paintFor }, { safeText }] = await Promise.all([
    import("./error-report.ts"),
    import("./report.ts"),
    import("./command-output.ts"),
    import("./display.ts"),
    import("./safe-text.ts"),
  ]);
  const { env, errors, output } = context;
  const { errorJson, errorAtEndJson, failedJson, UnfinishedAnswer } = outputs;
  const hasBegun = thrown instanceof UnfinishedAnswer;
  const error = hasBegun ? thrown.cause : thrown;
  const failure = errorReportOf(
    error,
    commandNames.find((word) => word === args[0]),
  );
  if (asksForEvents(args)) errors.write(failedJson(failure));
  else {
    const lines = errorLines(failure, paintFor(errors, env));
    if (wantsDebugging(env)) lines.push(...debugLines(error));
    errors.write(`${lines.join("\n")}\n`);
  }
  if (asksForVerdict(args)) output.write(`${safeText(failure.message)}\n`);
  else if (asksForJson(args)) output.write((hasBegun ? errorAtEndJson : errorJson)(failure, decisionLog));
  return failure.exitCode;
}

/** `NODE_DEBUG` is a list of names, as Node's own `util.debuglog` reads it. */
function wantsDebugging(env: ProcessContext["env"]): boolean {
  const names = (env.NODE_DEBUG ?? "").toLowerCase().split(/[\s,]+/);
  return names.includes("oci-unpack") || names.includes("*");
}
