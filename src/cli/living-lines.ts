import type { Output } from "./surroundings.ts";

/** Short enough that whoever watches a log knows that this is alive, also while nothing happens. */
const longestSilenceMilliseconds = 10_000;

/** Lines for a log. */
export interface LivingLines extends Disposable {
  say(line: string): void;
}

/** Writes lines and, where there was none for ten seconds, `sign`'s until this is closed. */
export function livingLines(output: Output, sign: () => string): LivingLines {
  let hasSpoken = false;
  const say = (line: string): void => {
    output.write(`${line}\n`);
    hasSpoken = true;
  };
  const timer = setInterval(() => {
    if (hasSpoken) hasSpoken = false;
    else say(sign());
  }, longestSilenceMilliseconds / 2);
  return { say, [Symbol.dispose]: () => clearInterval(timer) };
}

/** The same for who wants to hear of errors alone. */
export const silentLines: LivingLines = { say() {}, [Symbol.dispose]() {} };
