import { attackAll } from "./attempts.ts";

// The same as in hostile.test.ts, as it is by default.

attackAll("require");
