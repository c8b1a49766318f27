/**
 * Whether everything is tried that there is to try. By default, so that `npm test` takes minutes, what is large or random is
 * tried in a share of its cases; OCI_UNPACK_TESTS=all (`npm run test:all`) tries all of them, as CI does once.
 */
export const isThorough = process.env.OCI_UNPACK_TESTS === "all";

/** The releases of Node take turns, so that each case is tried with some release that CI has. */
export const releaseTurn = Math.floor(Number.parseInt(process.versions.node, 10) / 2);

/**
 * One of so many shares of the cases, with each release of Node another one; all of them where everything is tried. Tables of
 * cases for one subject after the other begin with another one each: `first` is the number of the subject.
 */
export function shareOf<Case>(parts: number, cases: readonly Case[], first = 0): readonly Case[] {
  return isThorough ? cases : cases.filter((_, index) => (index + first + releaseTurn) % parts === 0);
}

/** Every other one of the cases. */
export function half<Case>(cases: readonly Case[], first = 0): readonly Case[] {
  return shareOf(2, cases, first);
}

/** Every third one of the cases. */
export function third<Case>(cases: readonly Case[], first = 0): readonly Case[] {
  return shareOf(3, cases, first);
}
