import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type * as Library from "../index.ts";
import { passwordFrom } from "./connection.ts";
import { Interruption } from "./interrupt.ts";
import { terseDisplay } from "./line-display.ts";
import type { LoginCommand, LogoutCommand } from "./login-options.ts";
import { exitCodes, machineOf, type ProcessContext } from "./process-context.ts";
import { safeText } from "./safe-text.ts";
import { UsageError } from "./usage-error.ts";

/** The functions of the library that are used here. */
export type LoginLibrary = Pick<typeof Library, "login" | "verifyLogin" | "registryFromEnvironment">;

/** `oci-unpack login REGISTRY`: stores a login, after asking the registry about it, and says where. */
export async function loginCommand(
  command: LoginCommand,
  context: ProcessContext,
  library: LoginLibrary,
): Promise<number> {
  const user = await userFor(command, context);
  if (command.isVerified) await verify(user, command, context, library);
  const file = await library.login(command.registry, user, { ...machineOf(context), authFile: command.authFile });
  const until = /^\/run\//.test(file) ? ", until this machine is restarted (--authfile FILE keeps it elsewhere)" : "";
  context.errors.write(`the login for ${safeText(command.registry)} is kept in ${safeText(file)}${until}\n`);
  return exitCodes.done;
}

/** `oci-unpack logout REGISTRY`: removes a login, and says where it was. */
export async function logoutCommand(
  command: LogoutCommand,
  context: ProcessContext,
  logout: typeof Library.logout,
): Promise<number> {
  const files = await logout(command.registry, { ...machineOf(context), authFile: command.authFile });
  const registry = safeText(command.registry);
  const lines = files.map((file) => `the login for ${registry} is no longer in ${safeText(file)}`);
  context.errors.write(`${lines.join("\n") || `there was no login for ${registry}`}\n`);
  return exitCodes.done;
}

/** Throws if the registry does not accept the login, so that it is not stored. */
async function verify(
  user: { readonly username: string; readonly password: string },
  { registry, connection, isExplained: explain }: LoginCommand,
  context: ProcessContext,
  { verifyLogin, registryFromEnvironment }: LoginLibrary,
): Promise<void> {
  const { authFile: _, ...environment } = connection.environment; // it may not exist yet
  const doing = `asking ${safeText(registry)} whether it takes this login`;
  using display = terseDisplay({ verbosity: "normal", explain }, context, doing);
  const { show: onEvent, say } = display;
  const configured = await registryFromEnvironment({ ...machineOf(context), ...environment, onEvent });
  const answer = await verifyLogin(registry, user, { ...configured, ...connection.registry, onEvent });
  if (answer === "not asked") say(`${safeText(registry)} asks for no login, so this one is untried`);
}

async function userFor(
  { registry, username, passwordFromInput }: LoginCommand,
  context: ProcessContext,
): Promise<{ username: string; password: string }> {
  if (username !== undefined && passwordFromInput) {
    return { username, password: await passwordFrom(context.input) };
  }
  if (!context.input.isTTY) {
    throw new UsageError(
      "cannot ask for a password: standard input is not a terminal",
      `pipe it: oci-unpack login -u NAME --password-stdin ${registry} < FILE`,
    );
  }
  return {
    username: username ?? (await prompt("User name: ", "shown", context)),
    password: await prompt("Password: ", "hidden", context),
  };
}

/** Asks a question at the terminal and returns the line that is typed. A hidden answer is not shown. */
export function prompt(
  question: string,
  answer: "shown" | "hidden",
  { input, errors }: Pick<ProcessContext, "input" | "errors">,
): Promise<string> {
  const isHidden = answer === "hidden";
  // A shown answer is echoed by the terminal. For a hidden one readline edits the line, and its output is discarded.
  const lines = createInterface({ input, output: nowhere(), terminal: isHidden });
  errors.write(question);
  return new Promise<string>((resolve, reject) => {
    lines.on("line", resolve);
    lines.on("SIGINT", () => reject(new Interruption("SIGINT")));
    lines.on("close", () =>
      reject(
        new UsageError(
          "cannot log in: there was no answer",
          "answer, or pipe the password: … -u NAME --password-stdin … < FILE",
        ),
      ),
    );
  }).finally(() => {
    lines.close();
    if (isHidden) errors.write("\n");
  });
}

function nowhere(): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
}
