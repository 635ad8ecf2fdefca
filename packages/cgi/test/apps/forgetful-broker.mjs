// A broker that forgets the first thing it is told, as one does that dies before it acts: `node forgetful-broker.mjs DIRECTORY`.
import { createServer, Socket } from "node:net";
import { join } from "node:path";

const control = new Socket({ fd: 3, readable: true, writable: true });
const told = [];
control.on("data", (chunk) => {
  for (const line of chunk.toString().trim().split("\n")) {
    told.push(line);
    if (told.length === 1) control.write("\nL\n\nR s\n");
    // Whatever is said again is answered.
    else if (line.startsWith("Q")) control.write("A 1\n");
    else if (line.startsWith("K")) control.write("X 1 15 c -\n");
  }
});
control.on("close", () => process.exit(0));
createServer({ allowHalfOpen: true }, (connection) => connection.resume()).listen(join(process.argv[2], "s"), () => {
  control.write("\nR s\n");
});
