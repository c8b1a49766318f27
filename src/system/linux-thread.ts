// What Linux does for a working thread, in a file of its own: it is loaded where there is Linux.

export { confineThread } from "../linux/confinement.ts";
export { nameThread } from "../linux/thread.ts";
