// @gw/core/testing: run apps without a socket, and the fakes that tests of layers and carriers need.
export { type BodySource, bodySource } from "./body-source.ts";
export { type TestBody, type TestRequestInit, type TestSocketInit, testRequest, testSocket } from "./builders.ts";
export { cutsOf } from "./cuts.ts";
export type { SendInit, TestResponse } from "./exchange.ts";
export { type SocketClose, type SocketPairOptions, socketPair, type TestSocketClient } from "./peer.ts";
export {
  openSocket,
  type RequestInit,
  type RunningApp,
  type RunOptions,
  request,
  run,
  type SocketInit,
} from "./run.ts";
export type { TestSocket } from "./socket.ts";
