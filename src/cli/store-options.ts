import { oneOf, parseCommandLine } from "./command-line.ts";
import { operandKinds } from "./command-table.ts";
import { helpCommand, limits, type SmallCommand, storeDirectory, type Verbosity } from "./image-options.ts";
import { storeOptionTable } from "./option-tables.ts";
import type { ProcessContext } from "./process-context.ts";
import { parseSize } from "./quantities.ts";
import { UsageError } from "./usage-error.ts";

const actions = operandKinds["list|verify|prune"];

/** The arguments of `oci-unpack store list|verify|prune`. */
export interface StoreCommand {
  readonly name: "store";
  readonly action: (typeof actions)[number];
  readonly directory: string;
  readonly maxBytes: number | undefined;
  readonly forgetAbsent: boolean;
  /** `NAME=VALUE`, judged once the library has said which limits there are. */
  readonly limits: readonly string[];
  readonly json: boolean;
  readonly verbosity: Extract<Verbosity, "normal" | "events">;
}

/** Parses the arguments after `store`. */
export function parseStore(args: readonly string[], env: ProcessContext["env"]): StoreCommand | SmallCommand {
  const { values, positionals } = parseCommandLine(storeOptionTable, args);
  if (values.help) return helpCommand("store", positionals);
  if (values.limit?.includes("help")) return { name: "limits" };
  const action = onlyAction(positionals);
  const directory = storeDirectory(values.store, env);
  if (directory === undefined) {
    throw new UsageError(
      `cannot ${action} the store: none is named`,
      "name it with --store DIR, or with OCI_UNPACK_STORE",
    );
  }
  const maxSize = values["max-size"];
  const forgetAbsent = values["forget-absent"] ?? false;
  if (action !== "prune" && (maxSize !== undefined || forgetAbsent)) {
    const option = maxSize === undefined ? "--forget-absent" : "--max-size";
    throw new UsageError(
      `cannot use ${option}: oci-unpack store ${action} removes nothing`,
      "oci-unpack store prune does",
    );
  }
  const maxBytes = maxSize === undefined ? undefined : parseMaxSize(maxSize);
  return {
    name: "store",
    action,
    directory,
    maxBytes,
    forgetAbsent,
    limits: limits(values),
    json: values.json ?? false,
    verbosity: values["json-events"] ? "events" : "normal",
  };
}

function onlyAction(positionals: readonly string[]): StoreCommand["action"] {
  const [word, surplus] = positionals;
  if (word === undefined) {
    throw new UsageError(
      "cannot use the store: what to do is missing",
      "one of oci-unpack store list, verify and prune",
    );
  }
  const action = oneOf("oci-unpack store", word, actions);
  if (surplus === undefined) return action;
  throw new UsageError(
    `cannot ${action} the store: unexpected argument "${surplus}"`,
    "name the store with --store DIR",
  );
}

function parseMaxSize(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new UsageError(
    `cannot prune the store: --max-size takes a size such as 500M or 10G, found "${text}"`,
    "for instance --max-size 10G",
  );
}
