/** The columns of a terminal that help is written for. */
const width = 80;

/**
 * A text in lines of at most 80 columns, all but the first indented; the first begins in that column, behind what
 * stands there already. Line ends in the text stay.
 */
export function wrapped(text: string, { indent = 0 } = {}): string {
  let column = indent;
  let written = "";
  for (const [index, line] of text.split("\n").entries()) {
    if (index > 0) [written, column] = [`${written}\n${" ".repeat(indent)}`, indent];
    for (const [position, word] of line.split(" ").entries()) {
      const length = [...word].length;
      const isFirst = position === 0;
      if (!isFirst && column + 1 + length > width) {
        written += `\n${" ".repeat(indent)}${word}`;
        column = indent + length;
      } else {
        written += isFirst ? word : ` ${word}`;
        column += length + (isFirst ? 0 : 1);
      }
    }
  }
  return written;
}
