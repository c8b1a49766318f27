import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Types lines into a shell on a terminal of its own, each when the one before has been answered, and gives the answers:
 * what the shell writes between the control characters `\x01` and `\x02`. The first answer is for no line: it says that
 * the shell is ready.
 */
export async function answersOf(
  lines: readonly string[],
  { shell, directory, home }: { readonly shell: string; readonly directory: string; readonly home: string },
): Promise<string[]> {
  const command = `stty sane cols 200 rows 50; exec ${shell}`;
  const terminal = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: home, ZDOTDIR: home, TERM: "xterm", LANG: "C.UTF-8" },
  });
  const closed = once(terminal, "close");
  const answers: string[] = [];
  let shown = "";
  let answered = 0;
  terminal.stdout.setEncoding("utf8").on("data", (text) => {
    shown += text;
    // Linear: what was matched is not looked at again.
    for (const [whole, answer = ""] of shown.slice(answered).matchAll(/\x01([^\x02]*)\x02/g)) {
      answered = shown.indexOf(whole, answered) + whole.length;
      terminal.stdin.write(`${lines[answers.length] ?? "exit"}\n`);
      answers.push(answer);
    }
  });
  await closed;
  if (answers.length === lines.length + 1) return answers.slice(1);
  throw new Error(`cannot type: ${answers.length} answers to ${lines.length} lines: ${JSON.stringify(shown)}`);
}
