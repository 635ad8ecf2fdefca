// The program that mod_fcgid starts: an authorizer on the socket that it inherits as descriptor 0.
import { serveAuthorizer } from "@gw/fastcgi";
import layers from "./basic.ts";

await serveAuthorizer(layers).ready;
