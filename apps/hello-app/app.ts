// The smallest app with a life: what is opened in start() is closed in stop().
import { type App, text } from "@gw/core";

let greeting = "";

const app: App = {
  start: () => {
    greeting = "Hello";
  },
  handle: (request) => text(`${greeting}, ${request.principal?.user ?? "World"}!\n`),
  stop: () => {
    greeting = "";
  },
};

export default app;
