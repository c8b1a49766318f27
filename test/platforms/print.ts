import { triedTable } from "./table.ts";

// node build/test/platforms/print.js
//
// Tries everything everywhere, and prints the table of docs/platforms.md. Bun and Deno have to be on the PATH.

console.log(await triedTable());
