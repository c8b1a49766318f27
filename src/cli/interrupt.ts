/** The signals that stop a command, and the exit code that a shell expects after each. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

type StopSignal = keyof typeof exitCodes;

/** The reason of an abort by a signal. */
export class Interruption extends Error {
  readonly exitCode: number;

  constructor(name: StopSignal) {
    super(`interrupted by ${name}`);
    this.name = "Interruption";
    this.exitCode = exitCodes[name];
  }
}

/**
 * A second signal within this time counts as the first one: timeout(1) and npm send one to the group and to the
 * process.
 */
const echoMilliseconds = 500;

/** Called for signals: the first one asks for an orderly end, a second one ends the process at once. */
interface InterruptListener {
  interrupted(): void;
  /** Restores the terminal before the process ends. It must be synchronous. */
  ending(): void;
}

/** Until this is disposed of, signals abort the operation and do not kill the process. */
interface Interruptible extends Disposable {
  readonly signal: AbortSignal;
}

/** Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that the operation can clean up. */
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
    // The signal ends the process at once; process.exit would wait for threads that are in a system call.
    process.kill(process.pid, name);
    // Process 1 of a container is not ended by a signal.
    process.exit(exitCodes[name]);
  };
  const stopListening = (): void => {
    for (const name of names) process.off(name, onSignal);
  };

  for (const name of names) process.on(name, onSignal);
  return { signal: controller.signal, [Symbol.dispose]: stopListening };
}
