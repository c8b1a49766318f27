import { offerWorkers } from "../worker/early-workers.ts";
import { DecisionLog } from "./command-output.ts";
import { reportFailure } from "./failure-report.ts";
import { insistOnGivenPaths } from "./given-paths.ts";
import { parseCommand } from "./options.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";

/**
 * Runs any command line and returns the exit code. Each command is loaded when it is needed, so that small ones are fast.
 */
export async function run(args: readonly string[], context: ProcessContext): Promise<number> {
  const decisionLog = new DecisionLog();
  offerWorkers(context.threads ?? []);
  try {
    return await perform(args, context, decisionLog);
  } catch (error) {
    return await reportFailure(error, args, context, decisionLog);
  }
}

async function perform(args: readonly string[], context: ProcessContext, decisionLog: DecisionLog): Promise<number> {
  const command = parseCommand(args, context.env);
  if (!["help", "version", "limits", "completion"].includes(command.name)) insistOnGivenPaths(args);
  switch (command.name) {
    case "help": {
      const { helpText } = await import("./manual/help-text.ts");
      context.output.write(helpText(command.topic, { isWhole: command.isWhole }));
      return exitCodes.done;
    }
    case "completion": {
      const { completionScript } = await import("./completion/completion-script.ts");
      context.output.write(completionScript(command.shell));
      return exitCodes.done;
    }
    case "version": {
      const { version } = await import("../base/version.ts");
      context.output.write(`${version()}\n`);
      return exitCodes.done;
    }
    case "limits": {
      const [{ limitsHelp }, { defaultLimits }] = await Promise.all([import("./limits.ts"), import("../index.ts")]);
      context.output.write(limitsHelp(defaultLimits));
      return exitCodes.done;
    }
    case "unpack": {
      const [{ unpackCommand }, { outputMaker }, library] = await Promise.all([
        import("./unpack-command.ts"),
        import("./output-maker.ts"),
        import("../index.ts"),
      ]);
      return await unpackCommand(command, context, decisionLog, library, outputMaker(library));
    }
    case "login": {
      const [{ loginCommand }, library] = await Promise.all([import("./login-command.ts"), import("../index.ts")]);
      return await loginCommand(command, context, library);
    }
    case "store": {
      const [{ storeCommand }, library] = await Promise.all([import("./store-command.ts"), import("../index.ts")]);
      return await storeCommand(command, context, library);
    }
    case "ls":
    case "cat":
    case "inspect": {
      const [{ lookCommand }, library] = await Promise.all([import("./look-command.ts"), import("../index.ts")]);
      return await lookCommand(command, context, decisionLog, library);
    }
    case "history": {
      const [{ historyCommand }, library] = await Promise.all([import("./history-command.ts"), import("../index.ts")]);
      return await historyCommand(command, context, decisionLog, library);
    }
    case "verify": {
      const [{ verifyCommand }, library] = await Promise.all([import("./verify-command.ts"), import("../index.ts")]);
      return await verifyCommand(command, context, decisionLog, library);
    }
    case "diff": {
      const [{ diffCommand }, library] = await Promise.all([import("./diff-command.ts"), import("../index.ts")]);
      return await diffCommand(command, context, decisionLog, library);
    }
    case "sync": {
      const [{ syncCommand }, library] = await Promise.all([import("./sync-command.ts"), import("../index.ts")]);
      return await syncCommand(command, context, decisionLog, library);
    }
    case "signatures":
    case "image-verifier": {
      const [{ signaturesCommand }, library] = await Promise.all([
        import("./signatures-command.ts"),
        import("../index.ts"),
      ]);
      return await signaturesCommand(command, context, decisionLog, library);
    }
    case "logout": {
      const [{ logoutCommand }, { logout }] = await Promise.all([import("./login-command.ts"), import("../index.ts")]);
      return await logoutCommand(command, context, logout);
    }
  }
}
