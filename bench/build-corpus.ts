import { corpus } from "./corpus.ts";

const { storage } = await corpus((line) => console.log(line));
console.log(`the corpus is in ${storage}`);
