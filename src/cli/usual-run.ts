import { defaultLimits, machinePolicy, sourceFromEnvironment, sync, unpack } from "../index.ts";
import { offerWorkers } from "../worker/early-workers.ts";
import { DecisionLog } from "./command-output.ts";
import { reportFailure } from "./failure-report.ts";
import { insistOnGivenPaths } from "./given-paths.ts";
import { parseCommand } from "./options.ts";
import type { ProcessContext } from "./process-context.ts";
import { syncCommand } from "./sync-command.ts";
import { rootfsMaker, unpackCommand } from "./unpack-command.ts";

const library = { defaultLimits, machinePolicy, sourceFromEnvironment, sync };

/**
 * Runs the usual command lines, by which an image becomes a root filesystem, or one becomes another, and returns the exit
 * code. Every other one is left to `run.ts`.
 *
 * In the package this is a file of its own, with two thirds of the program: that is loaded sooner.
 */
export async function run(args: readonly string[], context: ProcessContext): Promise<number> {
  const decisionLog = new DecisionLog();
  try {
    const command = parseCommand(args, context.env);
    if (command.name === "unpack" && command.output.form === "rootfs") {
      prepare(args, context);
      return await unpackCommand(command, context, decisionLog, library, rootfsMaker({ unpack }));
    }
    if (command.name === "sync") {
      prepare(args, context);
      return await syncCommand(command, context, decisionLog, library);
    }
  } catch (error) {
    return await reportFailure(error, args, context, decisionLog);
  }
  const { run } = await import("./run.ts");
  return await run(args, context);
}

function prepare(args: readonly string[], { threads = [] }: ProcessContext): void {
  insistOnGivenPaths(args);
  offerWorkers(threads);
}
