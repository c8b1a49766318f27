import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { type Outcome, outcomeOf } from "./command.ts";
import { repositoryFile } from "./repository.ts";

/** A step of action.yml, as far as this action has such. */
interface Step {
  readonly name: string;
  readonly id?: string;
  readonly shell: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: string;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

export interface ActionOutcome extends Outcome {
  /** What the workflow that uses the action sees. */
  readonly outputs: Readonly<Record<string, string>>;
}

export async function readAction(): Promise<Action> {
  return parse(await readFile(repositoryFile("action.yml"), "utf8"));
}

/**
 * Runs steps of action.yml as a runner does: inputs are put into a step's `env`, and its script is run by bash as it stands
 * in the file. The first step that fails is the last.
 */
export async function performed(
  names: readonly string[],
  given: Readonly<Record<string, string>>,
  runner: { readonly workspace: string; readonly temporary: string },
): Promise<ActionOutcome> {
  const { inputs, outputs, runs } = await readAction();
  const settled = { ...defaultsOf(inputs), ...given };
  let last: Outcome | undefined;
  const told: Record<string, string> = {};
  await mkdir(runner.temporary, { recursive: true });

  for (const [index, step] of runs.steps.entries()) {
    if (!names.includes(step.name)) continue;
    assert.equal(step.shell, "bash");
    const [script, output] = ["sh", "output"].map((end) => join(runner.temporary, `step-${index}.${end}`));
    await writeFile(`${script}`, step.run);
    await writeFile(`${output}`, "");
    const environment = {
      ...Object.fromEntries(Object.entries(step.env).map(([name, value]) => [name, withInputs(value, settled)])),
      ...{ RUNNER_TEMP: runner.temporary, GITHUB_OUTPUT: `${output}` },
      GITHUB_ACTION_PATH: fileURLToPath(repositoryFile("")),
    };
    const args = ["--noprofile", "--norc", "-eo", "pipefail", `${script}`];
    last = await outcomeOf("bash", args, { directory: runner.workspace, environment });
    if (last.status !== 0) break;
    for (const [name, value] of toldIn(await readFile(`${output}`, "utf8")))
      told[`steps.${step.id}.outputs.${name}`] = value;
  }
  assert.ok(last, "the steps are there");
  const seen = Object.entries(outputs).map(([name, { value }]) => [name, told[expressionIn(value)] ?? ""]);
  return { ...last, outputs: Object.fromEntries(seen) };
}

function defaultsOf(inputs: Action["inputs"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, { default: value }]) => (value === undefined ? [] : [[name, value]])),
  );
}

function withInputs(value: string, inputs: Readonly<Record<string, string>>): string {
  return value.replaceAll(
    /\$\{\{ inputs\.(\w+) \}\}/g,
    (_, name: string) => inputs[name] ?? assert.fail(`no input ${name}`),
  );
}

function expressionIn(value: string): string {
  return /^\$\{\{ (.*) \}\}$/.exec(value)?.[1] ?? assert.fail(`no expression: ${value}`);
}

/** What a step told in $GITHUB_OUTPUT: `name=value` on a line, or `name<<END`, lines, and END. */
function* toldIn(file: string): Generator<[name: string, value: string]> {
  const lines = file.split("\n");
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [, name = "", sign = "", rest = ""] = /^([^=<]+)(=|<<)(.*)$/.exec(line) ?? [];
    if (sign === "=") yield [name, rest];
    if (sign === "<<") yield [name, lines.splice(0, lines.indexOf(rest)).join("\n")];
  }
}
