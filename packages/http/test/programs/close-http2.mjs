// A server whose only HTTP/2 client leaves as it closes: prints "closed" once close() has settled.
import { once } from "node:events";
import { connect } from "node:http2";
import { text } from "@gw/core";
import { serve } from "@gw/http";

const server = serve(() => text("hello"), { bind: "127.0.0.1:0", http: 2 });
await server.ready;
const session = connect(server.url);
const stream = session.request({ ":path": "/" });
stream.resume();
await once(stream, "close");
session.destroy();
server.close().then(() => console.log("closed"));
