import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ErrorCode, OciUnpackEvent, UnpackOptions, UnpackResult } from "../../src/index.ts";
import type { Footprint } from "./footprint.ts";
import { sandboxEnvironment } from "./sandbox.ts";

/** One unpacking in a process of its own. */
export interface ProbeRequest {
  readonly reference: string;
  readonly directory: string;
  readonly options?: Pick<UnpackOptions, "sandbox" | "platform">;
  /** How often a registry is asked again. Default: the library's. */
  readonly retries?: number;
  /** Ends it from within, at the first event of a type. */
  readonly end?: { readonly at: OciUnpackEvent["type"]; readonly how: "abort" | "throw" };
}

export type ProbeOutcome =
  | { readonly type: "unpacked"; readonly result: UnpackResult }
  /** The promise rejected with the signal's own reason. */
  | { readonly type: "aborted" }
  /** Without a code where the error is not the library's. */
  | { readonly type: "failed"; readonly code?: ErrorCode; readonly message: string };

export interface ProbeReport {
  readonly outcome: ProbeOutcome;
  readonly before: Footprint;
  readonly after: Footprint;
}

export type ProbeMessage =
  | { readonly type: "event"; readonly event: OciUnpackEvent }
  | ({ readonly type: "report" } & ProbeReport);

export interface ProbeHost {
  /** The Node to run. Default: this one. */
  readonly node?: string;
  /** Everything that it is to find there besides PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Hears of every event while it happens. */
  readonly onEvent?: (event: OciUnpackEvent) => void;
}

/** Unpacks in a fresh process and tells what came of it and what the process held before and afterwards. */
export async function probe(request: ProbeRequest, host: ProbeHost = {}): Promise<ProbeReport> {
  const { node = process.execPath, environment, onEvent } = host;
  const program = fileURLToPath(new URL("unpack-probe.js", import.meta.url));
  const child = fork(program, [JSON.stringify(request)], {
    execPath: node,
    execArgv: [],
    env: { PATH: process.env.PATH, ...sandboxEnvironment, ...environment }, // some variables make Node start threads of its own
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let report: ProbeReport | undefined;
  child.on("message", (message: ProbeMessage) => {
    if (message.type === "report") report = message;
    else onEvent?.(message.event);
  });
  const [status, signal] = await once(child, "exit");
  if (report === undefined) throw new Error(`cannot probe: it ended with ${signal ?? status} before it reported`);
  return report;
}
