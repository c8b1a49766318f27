import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { readTree } from "../support/tree.ts";

// Runs in a mount namespace of its own: lets an overlay's script mount it and writes down what there is to see.

const [script = "", point = "", outcome = ""] = process.argv.slice(2);
execFileSync("sh", [script, point]);
writeFileSync(outcome, JSON.stringify(readTree(point)));
