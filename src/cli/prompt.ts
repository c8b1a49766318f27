import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Interruption } from "./interrupt.ts";
import type { ProcessContext } from "./process-context.ts";
import { UsageError } from "./usage-error.ts";

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
