import { commandWords } from "./command-words.ts";
import { asksForJson, parseCommand } from "./options.ts";
import { exitCodes, type Surroundings } from "./surroundings.ts";
import { Trail } from "./trail.ts";
import { insistOnWorkingDirectory } from "./working-directory.ts";

/** Does what a command line says and returns the exit code. Parts are loaded when they are needed, so that the small answers come at once. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const trail = new Trail();
  try {
    return await perform(args, surroundings, trail);
  } catch (error) {
    return await reportFailure(error, surroundings, { args, trail: asksForJson(args) ? trail : undefined });
  }
}

async function perform(args: readonly string[], surroundings: Surroundings, trail: Trail): Promise<number> {
  const command = parseCommand(args, surroundings.env);
  if (!["help", "version", "limits"].includes(command.name)) insistOnWorkingDirectory();
  switch (command.name) {
    case "help": {
      const { help } = await import("./help.ts");
      surroundings.output.write(help[command.topic]);
      return exitCodes.done;
    }
    case "version": {
      const { version } = await import("./version.ts");
      surroundings.output.write(`${version()}\n`);
      return exitCodes.done;
    }
    case "limits": {
      const [{ limitsHelp }, { defaultLimits }] = await Promise.all([import("./limits.ts"), import("../index.ts")]);
      surroundings.output.write(limitsHelp(defaultLimits));
      return exitCodes.done;
    }
    case "unpack": {
      const [{ unpackCommand }, library] = await Promise.all([import("./unpack-command.ts"), import("../index.ts")]);
      return await unpackCommand(command, surroundings, trail, library);
    }
    case "login": {
      const [{ loginCommand }, library] = await Promise.all([import("./login-command.ts"), import("../index.ts")]);
      return await loginCommand(command, surroundings, library);
    }
    case "store": {
      const [{ storeCommand }, { store }] = await Promise.all([import("./store-command.ts"), import("../index.ts")]);
      return await storeCommand(command, surroundings, store);
    }
    case "ls":
    case "cat":
    case "inspect": {
      const [{ lookCommand }, library] = await Promise.all([import("./look-command.ts"), import("../index.ts")]);
      return await lookCommand(command, surroundings, trail, library);
    }
    case "verify": {
      const [{ verifyCommand }, library] = await Promise.all([import("./verify-command.ts"), import("../index.ts")]);
      return await verifyCommand(command, surroundings, trail, library);
    }
    case "logout": {
      const [{ logoutCommand }, { logout }] = await Promise.all([import("./login-command.ts"), import("../index.ts")]);
      return await logoutCommand(command, surroundings, logout);
    }
  }
}

/** Tells people, and with a trail also programs, what went wrong. */
async function reportFailure(
  error: unknown,
  surroundings: Surroundings,
  { args, trail }: { readonly args: readonly string[]; readonly trail: Trail | undefined },
): Promise<number> {
  const [{ failureOf }, { debugLines, failureLines }, { failureJson }, { paintFor }] = await Promise.all([
    import("./failure.ts"),
    import("./report.ts"),
    import("./json.ts"),
    import("./paint.ts"),
  ]);
  const { env, errors, output } = surroundings;
  const failure = failureOf(
    error,
    commandWords.find((word) => word === args[0]),
  );
  const lines = failureLines(failure, paintFor(errors, env));
  if (wantsDebugging(env)) lines.push(...debugLines(error));
  errors.write(`${lines.join("\n")}\n`);
  if (trail !== undefined) output.write(failureJson(failure, trail));
  return failure.exitCode;
}

/** `NODE_DEBUG` is a list of names, as Node's own `util.debuglog` reads it. */
function wantsDebugging(env: Surroundings["env"]): boolean {
  const names = (env.NODE_DEBUG ?? "").toLowerCase().split(/[\s,]+/);
  return names.includes("oci-unpack") || names.includes("*");
}
