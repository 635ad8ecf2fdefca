// Our front under measurement: `node fastcgi-front-server.ts PORT SOCKET ROOT fastcgi|fresh|phpFpm`.
import { type AppSource, gateway } from "@gw/core";
import { fastcgi, phpFpm } from "@gw/fastcgi";
import { serve } from "@gw/http";

const [port, socket, root = "", kind] = process.argv.slice(2);
const pool = { maxConnections: 8, maxIdleConnections: kind === "fresh" ? 0 : 8 };

/** One script, as `fastcgi_pass` of nginx has it: nothing is looked up. */
function script(name: string): AppSource {
  return fastcgi({ ...pool, address: `unix:${socket}`, variables: { SCRIPT_FILENAME: `${root}/${name}` } });
}

const site: AppSource =
  kind === "phpFpm"
    ? phpFpm({ ...pool, root, socket: `unix:${socket}` })
    : gateway()
        .mount("/hello.php", script("hello.php"))
        .mount("/big.php", script("big.php"))
        .mount("/up.php", script("up.php"));
await serve(site, { bind: `127.0.0.1:${port}` }).ready;
