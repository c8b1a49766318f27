import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { differentParts } from "../../src/base/option-words.ts";
import { commandNames, commandTable } from "../../src/cli/command-table.ts";
import { completionScript } from "../../src/cli/completion/completion-script.ts";
import type { OptionTable } from "../../src/cli/option-spec.ts";
import { output } from "../support/command.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { skipWithout } from "../support/tools.ts";
import { answersOf } from "../support/typed.ts";

let place: Scratch;
/** Where whoever types is: with a layout, an archive, a key, and names with spaces. */
let directory = "";

before(async () => {
  place = await scratch();
  directory = join(place.directory, "typing");
  for (const name of ["layout", "my dir"]) await mkdir(join(directory, name), { recursive: true });
  for (const name of ["image.tar", "key.pub", "an archive.tar"]) await writeFile(join(directory, name), "");
});

after(() => place[Symbol.asyncDispose]());

/** What is typed, with tabulators, and the arguments that the command gets. */
const typed: readonly (readonly [line: string, args: readonly string[]])[] = [
  ["si\t -q", ["signatures", "-q"]],
  ["store pr\t --max\t 10G", ["store", "prune", "--max-size", "10G"]],
  ["--sandbox p\t", ["--sandbox", "prefer"]],
  ["--sandbox=p\t", ["--sandbox=prefer"]],
  ["-p linux/arm6\t", ["-p", "linux/arm64"]],
  ["--limit totalB\t5", ["--limit", "totalBytes=5"]],
  ["--limit=totalB\t5", ["--limit=totalBytes=5"]],
  ["diff --ignore time,ow\t", ["diff", "--ignore", "time,owner"]],
  ["--policy ma\t", ["--policy", "machine"]],
  ["--policy ke\t", ["--policy", "key.pub"]],
  ["verify --verify-key ke\t my\t", ["verify", "--verify-key", "key.pub", "my dir"]],
  ["verify my\\ d\t", ["verify", "my dir"]],
  ["--store la\t docker-archive:im\t my\t", ["--store", "layout", "docker-archive:image.tar", "my dir"]],
  ["--store=la\t x", ["--store=layout", "x"]],
  ["ls oci:./lay\t", ["ls", "oci:./layout"]],
  ["--threads 2 dir:l\t la\t", ["--threads", "2", "dir:layout", "layout"]],
  ["ls docker-archive:./an\t /etc", ["ls", "docker-archive:./an archive.tar", "/etc"]],
  ["ls oci-a\timage.tar", ["ls", "oci-archive:image.tar"]],
  ["ls --dige\t", ["ls", "--digest"]],
  ["signatures --digest x docker-d\tx", ["signatures", "--digest", "x", "docker-daemon:x"]],
  ["help sy\t a\t", ["help", "sync", "all"]],
  ["completion fi\t", ["completion", "fish"]],
];

/** The options whose values are words, and these. */
const words = Object.entries<OptionTable[string]>(commandTable.unpack.options).flatMap(([name, { value }]) => {
  return Array.isArray(value) ? [[`--${name} `, value as readonly string[]] as const] : [];
});

/** What is typed, and all that is offered for its last word. */
const offered: readonly (readonly [line: string, offers: readonly string[]])[] = [
  ...words,
  ["--limit ", Object.keys(defaultLimits).map((name) => `${name}=`)],
  ["completion ", ["bash", "zsh", "fish"]],
  ["debian ", ["layout", "my dir"]],
  ["ls debian ", []],
  ["diff debian o", ["oci:", "oci-archive:"]],
  ["--policy ", ["machine", "an archive.tar", "image.tar", "key.pub", "layout", "my dir"]],
  ["diff --ignore ", differentParts],
  ["s", ["store", "sync", "signatures"]],
  ...commandNames.map((command) => {
    const options = Object.entries<OptionTable[string]>(commandTable[command].options);
    const flags = options.flatMap(([name, { short }]) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
    return [`${command} -`, flags] as const;
  }),
];

/** Prints what it was called with. The fields have other control characters between them than an answer around it. */
const echoing = `oci-unpack() { printf '\\001'; printf '%s\\037' "$@"; printf '\\002\\n'; }; PS1='$ '`;
const ready = "printf '\\001\\002\\n'";

type Files = readonly (readonly [name: string, text: string])[];

const shells = {
  bash: {
    start: "bash --noprofile --rcfile $HOME/.bashrc -i",
    // As if all were typed that is offered.
    offers: "\x18*",
    settings: (script: string): Files => [
      ["script.bash", script],
      [
        ".bashrc",
        `unset HISTFILE; source ~/script.bash; ${echoing}; bind '"\\C-x*": insert-completions'
         bind 'set enable-bracketed-paste off'; ${ready}`,
      ],
    ],
  },
  zsh: {
    start: "zsh -d -i",
    offers: "\x18*",
    // What is added as a match is noted, with what stands before it, and given to the command in place of its arguments.
    settings: (script: string): Files => [
      ["_oci-unpack", script],
      [
        ".zshrc",
        `fpath=(~ $fpath); autoload -U compinit; compinit -u -D; bindkey -e; unset zle_bracketed_paste; ${echoing}
         compadd() {
           local -a found
           [[ " $* " == *' -'[OAD]' '* ]] || { builtin compadd -A found "$@"; noted+=("$IPREFIX"\${(Q)^found}); }
           builtin compadd "$@"
         }
         note() { noted=(); _main_complete; compstate[insert]= compstate[list]=; BUFFER='oci-unpack $noted'; }
         zle -C note list-choices note; noting() { zle note; BUFFER='oci-unpack "\${(u)noted[@]}"'; }; zle -N noting
         bindkey '^X*' noting; ${ready}`,
      ],
    ],
  },
} as const;

for (const shell of ["bash", "zsh"] as const) {
  const { start, offers, settings } = shells[shell];
  test(`${shell} completes what is typed, and offers what the command knows`, {
    skip: skipWithout(shell, "script"),
  }, async () => {
    const home = join(place.directory, shell);
    await mkdir(home);
    for (const [name, text] of settings(completionScript(shell))) {
      await writeFile(join(home, name), text);
    }
    const lines = [...typed.map(([line]) => line), ...offered.map(([line]) => `${line}${offers}`)];
    const answers = await answersOf(
      lines.map((line) => `oci-unpack ${line}`),
      { shell: start, directory, home },
    );
    for (const [index, [line, args]] of typed.entries()) {
      assert.deepEqual(fields(answers[index]), args, line);
    }
    for (const [index, [line, expected]] of offered.entries()) {
      const answer = fields(answers[typed.length + index]);
      const before = shell === "bash" ? line.split(" ").slice(0, -1) : [];
      assert.deepEqual(answer.slice(before.length).sort(), [...expected].sort(), line);
    }
  });
}

test("fish offers what the command knows", { skip: skipWithout("fish") }, async () => {
  const home = join(place.directory, "fish");
  await mkdir(home);
  await writeFile(join(home, "oci-unpack.fish"), completionScript("fish"));
  await writeFile(
    join(home, "main.fish"),
    `source ${home}/oci-unpack.fish; for line in $argv; complete -C "oci-unpack $line"; printf '\\001\\n'; end`,
  );
  const lines = offered.map(([line]) => line);
  const answers = (
    await output("fish", ["--no-config", join(home, "main.fish"), ...lines], { directory, environment: { HOME: home } })
  ).split("\x01\n");
  for (const [index, [line, expected]] of offered.entries()) {
    const answer = (answers[index] ?? "").split("\n").map((each) => each.replace(/\t.*/, "").replace(/(?<=.)\/$/, ""));
    assert.deepEqual(answer.filter((each) => each !== "").sort(), [...expected].sort(), line);
  }
});

test("bash finds the completions where bash-completion looks for them", {
  skip: skipWithout("bash", "bash-completion", "script"),
}, async () => {
  const home = join(place.directory, "found");
  const folder = join(home, ".local/share/bash-completion/completions");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "oci-unpack"), completionScript("bash"));
  await writeFile(
    join(home, ".bashrc"),
    `unset HISTFILE; source /usr/share/bash-completion/bash_completion; ${echoing}; ${ready}`,
  );
  const answers = await answersOf(["oci-unpack --sandbox=p\t oci-a\timage.t\t"], {
    shell: shells.bash.start,
    directory,
    home,
  });
  assert.deepEqual(fields(answers[0]), ["--sandbox=prefer", "oci-archive:image.tar"]);
});

for (const [shell, flagOf] of [
  ["bash", (name: string) => ` --${name} `],
  ["zsh", (name: string) => `--${name}`],
  ["fish", (name: string) => ` -l ${name} `],
] as const) {
  test(`the completions of ${shell} have every option of the parser`, () => {
    const script = completionScript(shell);
    const names = new Set(commandNames.flatMap((command) => Object.keys(commandTable[command].options)));
    assert.deepEqual(
      [...names].filter((name) => !script.includes(flagOf(name))),
      [],
    );
  });
}

test("oci-unpack completion writes for a shell, and says which there are", async () => {
  const { status, stdout } = await ociUnpack(["completion", "bash"]);
  assert.deepEqual([status, stdout], [0, completionScript("bash")]);
  for (const [args, message] of [
    [
      [],
      "error: cannot write completions: for which shell is missing\nhint: one of oci-unpack completion bash, zsh, fish\n",
    ],
    [["tcsh"], 'error: cannot read the command line: oci-unpack completion is one of bash, zsh, fish, found "tcsh"\n'],
  ] as const) {
    const outcome = await ociUnpack(["completion", ...args]);
    assert.equal(outcome.status, 2);
    assert.ok(outcome.stderr.startsWith(message), outcome.stderr);
  }
});

/** The fields of an answer; a directory may have a slash behind it. */
function fields(answer = ""): string[] {
  return answer
    .split("\x1f")
    .slice(0, -1)
    .map((field) => field.replace(/(?<=.)\/$/, ""))
    .filter((field) => field !== "");
}
