import { transports } from "../source-kind.ts";
import type { Offer } from "./offers.ts";
import { firstWords, flagsOf, transportPatterns, valuePatterns } from "./shell-words.ts";

/**
 * The completions for bash. They need nothing but bash 4.3: its words are put together again here where it splits them at
 * colons and equals signs.
 */
export function bashCompletion(): string {
  return `\
# Completions of oci-unpack for bash, written by: oci-unpack completion bash

_oci_unpack() {
  local words=() cur command=unpack first=1 operands=0 offer=() isValue='' isOperand='' word
  _oci_unpack_words
  cur=\${words[-1]}
  if (( \${#words[@]} > 2 )); then
    case \${words[1]} in
      ${firstWords.map(({ word }) => word).join("|")}) command=\${words[1]} first=2 ;;
    esac
  fi

  for word in "\${words[@]:first:\${#words[@]}-first-1}"; do
    if [[ $isValue ]]; then
      isValue=
    elif [[ $isOperand ]]; then
      (( ++operands ))
    elif [[ $word == -- ]]; then
      isOperand=yes
    elif [[ $word != -?* ]]; then
      (( ++operands ))
    elif [[ $word != *=* ]] && _oci_unpack_value "$command:$word"; then
      isValue=yes
    fi
  done

  [[ $isValue ]] || offer=()
  if [[ $isValue ]]; then
    :
  elif [[ ! $isOperand && $cur == --*=* ]]; then
    _oci_unpack_value "$command:\${cur%%=*}" && cur=\${cur#*=}
  elif [[ ! $isOperand && $cur == -* ]]; then
    _oci_unpack_options "$command"
  else
    _oci_unpack_operand "$command:$operands"
    [[ $command == unpack && $first == 1 && \${#words[@]} == 2 ]] && offer=(first)
  fi
  [[ \${#offer[@]} == 0 ]] || "_oci_unpack_offer_\${offer[0]}" "\${offer[@]:1}"
}

# The words up to the cursor, which bash has split at ":" and "=" as well.
_oci_unpack_words() {
  local i token isJoined=''
  for (( i = 0; i <= COMP_CWORD; i++ )); do
    token=\${COMP_WORDS[i]}
    [[ -z $token && \${COMP_LINE:COMP_POINT-1:1} == ' ' ]] && isJoined=
    if [[ $i -gt 0 && ( $isJoined || $token == [:=]* ) ]]; then words[-1]+=$token; else words+=("$token"); fi
    [[ $token == *[:=] ]] && isJoined=yes || isJoined=
  done
}

# What is offered for the value of an option. False if it has none.
_oci_unpack_value() {
  case $1 in
${valuePatterns()
  .map(([offer, patterns]) => `    ${patterns.join("|")}) offer=(${arrayOf(offer)}) ;;`)
  .join("\n")}
    *) return 1 ;;
  esac
}

_oci_unpack_options() {
  case $1 in
${firstWords
  .map(({ word, options }) => `    ${word}) offer=(words ${options.flatMap(flagsOf).join(" ")}) ;;`)
  .join("\n")}
  esac
}

_oci_unpack_operand() {
  case $1 in
${firstWords
  .flatMap(({ word, operands }) =>
    operands.map(([, offer], index) => `    ${word}:${index}) offer=(${arrayOf(offer)}) ;;`),
  )
  .join("\n")}
  esac
}

_oci_unpack_offer_none() { :; }

_oci_unpack_offer_words() {
  COMPREPLY=($(compgen -W "$*" -- "$cur"))
  [[ \${COMPREPLY[0]-} == *[:=] ]] && compopt -o nospace
}

# Words with commas between them.
_oci_unpack_offer_list() {
  local before=''
  [[ $cur == *,* ]] && before=\${cur%,*},
  COMPREPLY=($(compgen -P "$before" -W "$*" -- "\${cur##*,}"))
}

# Bash's own completion of paths knows how they are quoted. It is what happens where nothing else is offered.
_oci_unpack_offer_files() {
  compopt -o default
  [[ $# == 0 ]] && return
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur"; compgen -f -- "$cur")
}

_oci_unpack_offer_directories() { compopt -o dirnames; }

_oci_unpack_offer_images() {
  case $cur in
    ${transportPatterns("directory").join("|")}) compopt -o dirnames ;;
    ${transportPatterns("file").join("|")}) compopt -o default ;;
    *:*) ;;
    *) _oci_unpack_offer_words ${Object.keys(transports)
      .map((name) => `${name}:`)
      .join(" ")} ;;
  esac
}

_oci_unpack_offer_first() {
  _oci_unpack_offer_images
  COMPREPLY+=($(compgen -W "${firstWords.map(({ word }) => word).join(" ")}" -- "$cur"))
}

complete -F _oci_unpack oci-unpack
`;
}

/** An offer as the elements of an array: the function that makes it, and its words. */
function arrayOf({ words, isList, paths }: Offer): string {
  const maker = paths !== "none" ? paths : words.length === 0 ? "none" : isList ? "list" : "words";
  return [maker, ...words].join(" ");
}
