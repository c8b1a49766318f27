import { transports } from "../source-kind.ts";
import type { Offer } from "./offers.ts";
import {
  type FirstWord,
  firstWords,
  flagsOf,
  type SharedOption,
  sharedOptions,
  transportPatterns,
} from "./shell-words.ts";

/** The completions for zsh, as a file in a directory of `$fpath`, or to be sourced. */
export function zshCompletion(): string {
  return `\
#compdef oci-unpack
# Completions of oci-unpack for zsh, written by: oci-unpack completion zsh

_oci-unpack() {
  local command=unpack first=_oci-unpack-first
  local -a options operands
  if (( CURRENT > 2 )); then
    case $words[2] in
      (${firstWords.map(({ word }) => word).join("|")})
        command=$words[2] first=_oci-unpack-image
        shift words
        (( CURRENT-- ))
        ;;
    esac
  fi

${optionBlocks().join("\n")}

  case $command in
${firstWords.map((each) => `    (${each.word}) operands=(${operandSpecs(each).join(" ")}) ;;`).join("\n")}
  esac
  [[ $first == _oci-unpack-first ]] && operands[1]=1:IMAGE:$first
  _arguments -s -S : $options $operands
}

_oci-unpack-first() {
  local -a commands=(
${firstWords.map(({ word, brief }) => `    ${quoted(`${word}:${brief}`)}`).join("\n")}
  )
  _alternative 'commands:command:{ _describe command commands }' 'images:image:_oci-unpack-image'
}

_oci-unpack-image() {
  case $PREFIX in
    (${transportPatterns("directory").join("|")}) compset -P '*:' && _files "$@" -/ ;;
    (${transportPatterns("file").join("|")}) compset -P '*:' && _files "$@" ;;
    (*:*) ;;
    (*) compadd "$@" -S '' -- ${Object.keys(transports)
      .map((name) => `${name}:`)
      .join(" ")} ;;
  esac
}

_oci-unpack-words-or-files() {
  _alternative "words:word:($*)" 'files:file:_files'
}

# Words that end in "=", behind which something is typed.
_oci-unpack-beginnings() {
  compset -P '*=' || compadd -S '' "$@"
}

if [[ $funcstack[1] == _oci-unpack ]]; then _oci-unpack "$@"; else compdef _oci-unpack oci-unpack; fi
`;
}

/** The options, those together that the same commands have. */
function optionBlocks(): string[] {
  const byCommands = new Map<string, string[]>();
  for (const shared of sharedOptions()) {
    const commands = shared.words.join("|");
    const specs = byCommands.get(commands) ?? [];
    byCommands.set(commands, [...specs, ...optionSpecs(shared)]);
  }
  return [...byCommands].map(([commands, specs]) => {
    const lines = specs.map((spec) => `    ${quoted(spec)}`).join("\n");
    return `  [[ $command == (${commands}) ]] && options+=(\n${lines}\n  )`;
  });
}

/** An option as `_arguments` wants it, once for each of its names. */
function optionSpecs({ option, offer }: SharedOption): string[] {
  const flags = flagsOf(option);
  const { brief, value = "" } = option;
  const explanation = `[${brief.replace(/[[\]\\]/g, String.raw`\$&`)}]`;
  const rest = offer === undefined ? "" : `:${value.replaceAll(":", String.raw`\:`)}:${action(offer)}`;
  return flags.map((flag) => {
    const once = option.spec.multiple === true ? "*" : flags.length > 1 ? `(${flags.join(" ")})` : "";
    const attached = offer === undefined ? "" : flag.startsWith("--") ? "=" : "+";
    return `${once}${flag}${attached}${explanation}${rest}`;
  });
}

function operandSpecs({ operands }: FirstWord): string[] {
  return operands.map(([name, offer], index) => {
    return quoted(`${index + 1}:${name.replaceAll("|", " ")}:${action(offer)}`);
  });
}

/** What `_arguments` does for an offer. A space offers nothing; before a function, it keeps other arguments away. */
function action({ words, isList, paths }: Offer): string {
  if (paths === "images") return "_oci-unpack-image";
  if (paths === "directories") return "_files -/";
  if (paths === "files") return words.length === 0 ? "_files" : ` _oci-unpack-words-or-files ${words.join(" ")}`;
  if (words.length === 0) return " ";
  if (isList) return `_values -s , word ${words.join(" ")}`;
  return words.some((word) => word.endsWith("="))
    ? `_oci-unpack-beginnings ${words.join(" ")}`
    : `(${words.join(" ")})`;
}

/** A text as one word of zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
