// The smallest handler: a request in, an answer out.
import { type GatewayRequest, text } from "@gw/core";

export default (request: GatewayRequest) => text(`Hello, ${request.principal?.user ?? "World"}!\n`);
