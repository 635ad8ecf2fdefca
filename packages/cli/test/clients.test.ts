// What one client may cost: the flags that limit it, on a gateway of one worker.
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { folderWith, gw, type Server, serving } from "./gw.ts";

const app = `import { text } from "@gw/core";
const part = new Uint8Array(1_000_000);
async function* big() { for (let sent = 0; sent < 100; sent++) yield part; }
export default async (request) => {
  if (request.path === "/held") await new Promise((done) => request.signal.addEventListener("abort", done));
  if (request.path === "/big") return { ...text(""), body: big() };
  return text("ok");
};
`;

const words = ["serve", "app.mjs", "-p", "0", "-w", "1", "--access-log-format", "%U %>s %X"];
const limits = ["--limit-client-requests", "2", "--limit-client-connections", "3"];
const slow = ["--write-timeout", "1s", "--min-body-rate", "1k"];

function ask(server: Server, path: string): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    const request = httpRequest(`${server.urls[0]}${path}`, { agent: false }, (answer) => done(answer.resume()));
    request.on("error", fail).end();
    onTestFinished(() => void request.destroy());
  });
}

function opened(server: Server): Promise<Socket> {
  const { port } = new URL(server.urls[0] as string);
  return new Promise((done, fail) => {
    const socket = connect(Number(port), "127.0.0.1", () => done(socket));
    socket.on("error", fail);
    onTestFinished(() => void socket.destroy());
  });
}

test("R-O10, R-H6: requests and connections of one client are limited; who does not read is cut off", async () => {
  const server = await serving(folderWith({ "app.mjs": app }), [...words, ...limits, ...slow]);
  const held = [await opened(server), await opened(server)];
  for (const socket of held) socket.write("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
  let answer = await ask(server, "/");
  while (answer.statusCode === 200) answer = await ask(server, "/"); // until both are under way
  expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([429, "1"]);

  const third = await opened(server);
  const isTaken = (): Promise<boolean> =>
    ask(server, "/").then(
      () => true,
      () => false,
    );
  while (await isTaken()); // until the gateway has seen the third
  for (const socket of [...held, third]) socket.destroy();
  while (!(await isTaken())); // until it has seen that they are gone

  const reader = await opened(server);
  reader.pause();
  reader.on("error", () => {});
  reader.write("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
  while (!server.stdout().includes("/big 200 X\n")) await pause(20);
});

test("a limit that is no number is refused", async () => {
  const { code, stderr } = await gw(folderWith({ "app.mjs": app }), [
    "serve",
    "app.mjs",
    "--limit-client-requests",
    "few",
  ]);
  expect([code, stderr]).toEqual([2, 'gw: --limit-client-requests: found "few", expected a whole number\n']);
});
