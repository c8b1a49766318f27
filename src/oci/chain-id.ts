import { type Digest, digestOf } from "./digest.ts";

/** The chainID of each layer: what names it together with all layers below it (image-spec, config.md, "Layer ChainID"). */
export function chainIDs(diffIDs: readonly Digest[]): readonly Digest[] {
  const chain: Digest[] = [];
  for (const diffID of diffIDs) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffID : digestOf(new TextEncoder().encode(`${below} ${diffID}`)));
  }
  return chain;
}
