import { isOciUnpackError, unpack } from "../../src/index.ts";
import type { UnpackJob, UnpackReply } from "./library.ts";

// Run as a process of its own, perhaps as another user: unpacks what its parent asks for, one job after the other or at
// the same time, with the library.

process.on("message", async ({ id, reference, target, options }: UnpackJob) => {
  const reply = await outcomeOf(reference, target, options);
  process.send?.({ id, ...reply } satisfies UnpackReply);
});

async function outcomeOf(...job: Parameters<typeof unpack>): Promise<Omit<UnpackReply, "id">> {
  try {
    await unpack(...job);
    return { word: "contained", message: "" };
  } catch (error) {
    return { word: isOciUnpackError(error) ? error.code : "no code", message: String(error) };
  }
}
