import { transports } from "../source-kind.ts";
import type { Offer } from "./offers.ts";
import { firstWords, type SharedOption, sharedOptions, transportPatterns, valuePatterns } from "./shell-words.ts";

/** The completions for fish. */
export function fishCompletion(): string {
  const names = firstWords.map(({ word }) => word).join(" ");
  return `\
# Completions of oci-unpack for fish, written by: oci-unpack completion fish

# The command that the words before the cursor call.
function __oci_unpack_command
    set -l words (commandline -opc)
    if contains -- "$words[2]" ${names}
        echo $words[2]
    else
        echo unpack
    end
end

function __oci_unpack_is
    contains -- (__oci_unpack_command) $argv
end

# Whether the next operand is that of a number, of one of these commands.
function __oci_unpack_at
    set -l number $argv[1]
    set -l command (__oci_unpack_command)
    contains -- $command $argv[2..]; or return 1
    set -l words (commandline -opc)[2..]
    test "$words[1]" = $command; and set -e words[1]
    set -l count 0
    set -l is_value 0
    for word in $words
        if test $is_value = 1
            set is_value 0
        else if string match -qr -- '^-.' $word
            not string match -q -- '*=*' $word; and __oci_unpack_has_value $command:$word; and set is_value 1
        else
            set count (math $count + 1)
        end
    end
    test $is_value = 0 -a $count = $number
end

function __oci_unpack_has_value
    switch $argv[1]
        case ${valuePatterns()
          .flatMap(([, patterns]) => patterns)
          .map(quoted)
          .join(" ")}
            return 0
    end
    return 1
end

function __oci_unpack_images
    set -l typed (commandline -ct)
    set -l start (string replace -r ':.*' ':' -- $typed)
    switch $typed
        case ${transportPatterns("directory").map(quoted).join(" ")}
            __fish_complete_directories (string replace -r '^[^:]*:' '' -- $typed) '' | string replace -r '^' $start
        case ${transportPatterns("file").map(quoted).join(" ")}
            __fish_complete_path (string replace -r '^[^:]*:' '' -- $typed) | string replace -r '^' $start
        case '*:*'
        case '*'
            printf '%s\\n' ${Object.keys(transports)
              .map((name) => `${name}:`)
              .join(" ")}
    end
end

complete -c oci-unpack -f
${firstWords
  .map(({ word, brief }) => `complete -c oci-unpack -n __fish_is_first_token -a ${word} -d ${quoted(brief)}`)
  .join("\n")}

${operandLines().join("\n")}

${sharedOptions().map(optionLine).join("\n")}
`;
}

/** The operands, those together for which the same is offered. */
function operandLines(): string[] {
  const byOffer = new Map<string, string[]>();
  for (const { word, operands } of firstWords) {
    for (const [index, [, offer]] of operands.entries()) {
      const offered = argumentsFor(offer);
      if (offered === "") continue;
      const key = `${index}\n${offered}`;
      byOffer.set(key, [...(byOffer.get(key) ?? []), word]);
    }
  }
  return [...byOffer].map(([key, words]) => {
    const [index = "", offered = ""] = key.split("\n");
    return `complete -c oci-unpack -n '__oci_unpack_at ${index} ${words.join(" ")}' ${offered}`;
  });
}

function optionLine({ option, offer, words }: SharedOption): string {
  const { name, spec, brief } = option;
  const condition = `-n '__oci_unpack_is ${words.join(" ")}'`;
  const short = spec.short === undefined ? "" : ` -s ${spec.short}`;
  const value = offer === undefined ? "" : ` ${valueFor(offer)}`;
  return `complete -c oci-unpack ${condition} -l ${name}${short}${value} -d ${quoted(brief)}`;
}

/** A value is needed, and files are offered only if it is one. */
function valueFor(offer: Offer): string {
  const isExclusive = offer.paths !== "files";
  return `${isExclusive ? "-x" : "-r"} ${argumentsFor(offer)}`.trimEnd();
}

function argumentsFor({ words, isList, paths }: Offer): string {
  if (paths === "directories") return "-a '(__fish_complete_directories)'";
  if (paths === "images") return "-a '(__oci_unpack_images)'";
  const forced = paths === "files" ? "-F" : "";
  if (words.length === 0) return forced;
  if (isList) return `-a ${quoted(`(__fish_append , ${words.join(" ")})`)}`;
  return `${forced} -a ${quoted(words.join(" "))}`.trimStart();
}

/** A text as one word of fish. */
function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, String.raw`\$&`)}'`;
}
