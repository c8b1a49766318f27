import { attackAll } from "./attempts.ts";

// Path safety must not rest on Landlock.

attackAll("off");
