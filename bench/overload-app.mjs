// What bench/overload.ts asks: a resource of four, 20 ms each, with everybody else in line for it. Nothing here is bounded.
import { text } from "@gw/core";

const PLACES = Number(process.env.PLACES ?? 4);
const SERVICE_MS = 20;
const waiting = [];
let busy = 0;

function free() {
  const next = waiting.shift();
  if (next === undefined) busy--;
  else next();
}

export default async (_request) => {
  if (busy < PLACES) busy++;
  else await new Promise((done) => waiting.push(done));
  await new Promise((done) => setTimeout(done, SERVICE_MS));
  free();
  return text(`${process.pid}\n`);
};
