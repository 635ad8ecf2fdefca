// @gw/core/testing: run apps without a socket, and the fakes that tests of layers and carriers need.
export { type TestBody, type TestRequestInit, type TestSocketInit, testRequest, testSocket } from "./builders.ts";
export { cutsOf } from "./cuts.ts";
export { type RequestInit, request, type TestResponse } from "./request.ts";
