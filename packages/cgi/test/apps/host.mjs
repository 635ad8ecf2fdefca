// A gateway that runs one program and is then killed by the test: `node host.mjs SPAWNER PROGRAM`.
import { cgiProgram } from "@gw/cgi";
import { createContext } from "@gw/core";
import { testRequest } from "@gw/core/testing";

const [spawner, command] = process.argv.slice(2);
const app = cgiProgram({ command, spawner });
await app.start(createContext());
const answer = await app.handle(testRequest("/"));
process.stdout.write(`${answer.status}\n`);
setInterval(() => {}, 1_000);
