import { readFileSync } from "node:fs";
import { Comment, CommentTag, Converter, LiteralType, ReflectionKind, UnionType } from "typedoc";
import ts from "typescript";

/*
 * What TypeDoc does not do by itself: it shows the words of an option instead of the table that they come from, it shows
 * for each function its example in docs/library.md, which a test compiles, and it misses doc comments where a reader would.
 */
const page = readFileSync(new URL("../docs/library.md", import.meta.url), "utf8");
/** Each example, and what the page says before it. */
const examples = [...page.matchAll(/(?<said>(?:(?!^```)[\s\S])*)^```ts\n(?<code>[\s\S]*?)^```$/gm)].map(
  ({ groups }) => groups,
);

/** @param {import("typedoc").Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    const { project } = context;
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) module.name = project.name;
    for (const alias of project.getReflectionsByKind(ReflectionKind.TypeAlias)) showWords(context, alias);
    for (const called of project.getReflectionsByKind(ReflectionKind.Function)) addExample(called, app.logger);
  });
  app.validate = missing(app, app.validate.bind(app));
}

/** `(typeof words)[number]` is what the words are. */
function showWords(context, alias) {
  const node = context.getSymbolFromReflection(alias)?.declarations?.find(ts.isTypeAliasDeclaration);
  if (node === undefined || !ts.isIndexedAccessTypeNode(node.type)) return;
  const { types = [] } = context.programs[0].getTypeChecker().getTypeAtLocation(node);
  if (types.length > 0) alias.type = new UnionType(types.map(({ value }) => new LiteralType(value)));
}

function addExample(called, logger) {
  const { name } = called;
  const calling = examples.filter(({ code }) => new RegExp(`\\b${name}\\(`).test(code));
  const example = calling.find(({ said }) => said.includes(`\`${name}\``)) ?? calling[0];
  if (example === undefined) return logger.warn(`${name} has no example in docs/library.md`);
  for (const signature of called.signatures ?? []) {
    signature.comment ??= new Comment();
    signature.comment.blockTags.push(
      new CommentTag("@example", [{ kind: "code", text: `\`\`\`ts\n${example.code}\`\`\`` }]),
    );
  }
}

/** Options are what a reader looks up: each of them needs a comment. */
function missing(app, validate) {
  return (project) => {
    for (const options of project.getReflectionsByKind(ReflectionKind.Interface)) {
      if (!options.name.endsWith("Options")) continue;
      for (const option of options.children ?? []) {
        if (!option.hasComment()) app.logger.warn(`${option.getFullName()} has no comment`);
      }
    }
    validate(project);
  };
}
