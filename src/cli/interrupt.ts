/** The signals that people and supervisors stop commands with, and the exit code a shell expects after each. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

type StopSignal = keyof typeof exitCodes;

/** Why an `AbortSignal` of `interruptible` fired. */
export class Interruption extends Error {
  readonly exitCode: number;

  constructor(name: StopSignal) {
    super(`interrupted by ${name}`);
    this.name = "Interruption";
    this.exitCode = exitCodes[name];
  }
}

/**
 * What comes so soon after the first is the same wish: timeout(1) and npm send a signal to the group and to the
 * process.
 */
const echoMilliseconds = 500;

/** Who wants to know: the first signal asks for an orderly end, a second one ends the process there and then. */
interface InterruptListener {
  interrupted(): void;
  /** The last chance to leave the terminal as it was; must be synchronous. */
  ending(): void;
}

/** While this is in use, signals abort instead of killing. */
interface Interruptible extends Disposable {
  readonly signal: AbortSignal;
}

/** Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that whoever works can clean up. */
export function interruptible(listener: InterruptListener): Interruptible {
  const controller = new AbortController();
  const names = Object.keys(exitCodes) as StopSignal[];
  let abortedAt = 0;

  const onSignal = (name: StopSignal): void => {
    if (!controller.signal.aborted) {
      abortedAt = performance.now();
      controller.abort(new Interruption(name));
      listener.interrupted();
    } else if (performance.now() - abortedAt > echoMilliseconds) endAtOnce(name);
  };
  const endAtOnce = (name: StopSignal): void => {
    listener.ending();
    stopListening();
    // Dying of the signal is immediate; process.exit would first wait for worker threads that sit in a system call.
    process.kill(process.pid, name);
    // As process 1 of a container the signal's default action does nothing.
    process.exit(exitCodes[name]);
  };
  const stopListening = (): void => {
    for (const name of names) process.off(name, onSignal);
  };

  for (const name of names) process.on(name, onSignal);
  return { signal: controller.signal, [Symbol.dispose]: stopListening };
}
