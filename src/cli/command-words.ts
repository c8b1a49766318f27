import { suggestion } from "./suggestion.ts";
import { UsageError } from "./usage-error.ts";

/** What does something else than unpacking, as the first word of a command line. */
export const commandWords = ["login", "logout", "store", "ls", "cat", "inspect", "verify"] as const;

/** What all first words are, those of unpacking and of the small answers included. */
const firstWords = [...commandWords, "unpack", "pull", "version", "help"] as const;

/** What other tools call it. */
const guesses: Readonly<Record<string, string>> = { list: "ls", info: "inspect", extract: "unpack", check: "verify" };

/** A well-known image whose name is as near to a command's as a misspelling. */
const imagesNamedAlike: readonly string[] = ["storm"];

/** `oci-unpack -q ls IMAGE` would unpack an image called `ls`, which nobody means; after `--` it is what it is. */
export function refuseMisplacedCommand(image: string | undefined, args: readonly string[]): void {
  if (!firstWords.some((word) => word === image) || args.includes("--")) return;
  throw new UsageError(
    `cannot unpack "${image}": a command's name comes before its options`,
    `write oci-unpack ${image} …, or docker.io/library/${image} for an image of that name`,
  );
}

/** Refuses a first word that was most likely to be a command, before it is asked for as an image. */
export function refuseMisspeltCommand(word: string | undefined): void {
  if (word === undefined || !/^[a-z]+$/i.test(word) || imagesNamedAlike.includes(word)) return;
  const meant = (Object.hasOwn(guesses, word) ? guesses[word] : undefined) ?? suggestion(word, firstWords);
  if (meant === undefined) return;
  throw new UsageError(
    `cannot unpack "${word}": it looks like a misspelt command`,
    `did you mean oci-unpack ${meant}? an image of that name is docker.io/library/${word.toLowerCase()}`,
  );
}
