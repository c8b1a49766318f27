import type { Place as PlaceIn } from "../layer/place.ts";
import type { Directory } from "./directory.ts";

/** Where something is to be in the root filesystem. */
export type Place = PlaceIn<Directory>;
