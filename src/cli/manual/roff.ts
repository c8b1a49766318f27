// What pages of the manual are written in: man(7), as groff and mandoc read it.

/** A part of a page: its heading, and what stands below it. */
export function section(title: string, ...parts: readonly string[]): string {
  return [`.SH ${title.toUpperCase()}`, ...parts].join("\n");
}

export function subsection(title: string, ...parts: readonly string[]): string {
  return [`.SS ${escaped(title)}`, ...parts].join("\n");
}

/** Paragraphs. Line ends in them stay. */
export function paragraphs(texts: readonly string[]): string {
  return texts.map((text) => text.split("\n").map(running).join("\n.br\n")).join("\n.PP\n");
}

/** What a page is called, and what it is about in a line. */
export function nameLine(name: string, brief: string): string {
  return lines([typedWord(name), String.raw`\-`, ...brief.split(" ").map(word)]).join("\n");
}

/** Terms with what they mean below them. */
export function definitions(list: readonly (readonly [term: string, meaning: string])[]): string {
  return list.map(([term, meaning]) => `.TP\n${term}\n${paragraphs([meaning])}`).join("\n");
}

/** Lines as they would be typed. */
export function typed(lines: readonly string[]): string {
  return [".RS 4", ".nf", ...lines.flatMap((line) => line.split("\n").map(literal)), ".fi", ".RE"].join("\n");
}

export function bold(text: string): string {
  return String.raw`\fB${typedWord(text)}\fR`;
}

export function italic(text: string): string {
  return String.raw`\fI${typedWord(text)}\fR`;
}

/** A text in which dashes are those of a keyboard, so that what is copied can be pasted. */
function typedWord(text: string): string {
  return escaped(text).replaceAll("-", String.raw`\-`).replaceAll("'", String.raw`\(aq`);
}

function literal(line: string): string {
  return typedWord(line).replace(/^(?=[.'])/, String.raw`\&`);
}

function escaped(text: string): string {
  return text
    .replaceAll("\\", String.raw`\e`)
    .replaceAll("…", "...")
    .replaceAll("^", String.raw`\(ha`)
    .replaceAll("~", String.raw`\(ti`);
}

/** Running text, in lines that are not too long, and each sentence on a new one. Options are bold. */
function running(text: string): string {
  // Linear: what is looked behind has a fixed length.
  const sentences = text.split(/(?<=[^.][.!?]) (?=[A-Z])/);
  return sentences.flatMap((sentence) => lines(sentence.split(" ").map(word))).join("\n");
}

/** An option is bold, without what punctuation there is around it. */
function word(text: string): string {
  // Linear: it matches at the beginning alone.
  const [, before = "", option] = /^(\(?)(--?[a-z][a-z-]*)/.exec(text) ?? [];
  if (option === undefined) return escaped(text);
  return `${before}${bold(option)}${escaped(text.slice(before.length + option.length))}`;
}

function lines(words: readonly string[]): string[] {
  const all: string[] = [];
  for (const each of words) {
    const last = all.at(-1);
    if (last === undefined || last.length + 1 + each.length > 78) all.push(each);
    else all[all.length - 1] = `${last} ${each}`;
  }
  return all.map((line) => line.replace(/^(?=[.'])/, String.raw`\&`));
}
