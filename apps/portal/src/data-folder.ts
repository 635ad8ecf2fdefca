// Where the portal keeps what it is told: the process and its threads look at the same place.
import { fileURLToPath } from "node:url";

/** `PORTAL_DATA`, else `data` beside the configuration. */
export const dataFolder: string = process.env.PORTAL_DATA ?? fileURLToPath(new URL("../data", import.meta.url));
