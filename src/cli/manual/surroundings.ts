import type { ExitStatus } from "./command-text.ts";

/** The variables of the environment that the command itself reads. */
export const environment: readonly (readonly [name: string, meaning: string])[] = [
  ["OCI_UNPACK_STORE", "the store, where --store names none"],
  ["SOURCE_DATE_EPOCH", "the time of directories to which the image gives none"],
  ["DOCKER_HOST", "the engine's socket, as unix:///PATH"],
  ["NO_COLOR", "no colours"],
  ["NODE_DEBUG=oci-unpack", "with an error, the place in the code and its causes"],
];

/** The exit status of commands that have no other. */
export const exitStatus: ExitStatus = [
  ["0", "done"],
  ["1", "failed; nothing was left behind"],
  ["2", "wrong command line"],
];

/** The exit status after a signal. */
export const signalStatus: ExitStatus = [
  [
    "130, 143, 129",
    "interrupted (SIGINT, SIGTERM, SIGHUP) and cleaned up; a second signal ends at once, without cleaning up",
  ],
];
