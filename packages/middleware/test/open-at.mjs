// One of several processes that open a database at the same moment. Arguments: path, time in milliseconds.
import { sqliteStore } from "@gw/middleware/session/sqlite";

const [path, atMs] = process.argv.slice(2);
while (Date.now() < Number(atMs));
process.stdout.write(String(sqliteStore({ path }).read("none")));
