/**
 * A member's name as Go compares it with those that it knows: by Unicode's simple case folding, where beyond ASCII only
 * `ſ` (U+017F) is an S and `K` (U+212A, the Kelvin sign) a K.
 */
export function foldedKey(key: string): string {
  // One character at a time: linear.
  return key.replace(/[A-Z\u017f\u212a]/g, (letter) => (letter === "\u017f" ? "s" : letter.toLowerCase()));
}
