// One of several processes that share a store: adds to a counter so many times, each by compare and swap.
// Arguments: file|sqlite, path, key, count, when to begin in milliseconds. Prints how often it lost a race.
import { fileStore } from "@gw/middleware/session/file";
import { sqliteStore } from "@gw/middleware/session/sqlite";

const [kind, path, key, count, atMs] = process.argv.slice(2);
const store = kind === "file" ? fileStore({ directory: path }) : sqliteStore({ path });
while (Date.now() < Number(atMs));
let lost = 0;
for (let done = 0; done < Number(count); ) {
  const record = store.read(key);
  const data = JSON.stringify({ n: JSON.parse(record.data).n + 1 });
  if (store.replace(key, record.version, { ...record, version: record.version + 1, data })) done++;
  else lost++;
}
console.log(lost);
