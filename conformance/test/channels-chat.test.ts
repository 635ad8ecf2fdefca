// A chat of Django Channels in a real browser, through our HTTP/2 listener: pages and WebSockets on one connection.
import { join } from "node:path";
import { pythonAsgi } from "@gw/asgi";
import { compose, gateway, type Middleware, withPrincipal } from "@gw/core";
import { serve } from "@gw/http";
import { openPage, takePicture } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { expect, onTestFinished } from "vitest";
import { first as certificate } from "../../packages/http/test/certificates.ts";
import { frameworksPython } from "./asgi-client.ts";

/** The user whom the cookie names: stands for a login. */
const cookieUser: Middleware = (next) => (request) => {
  const name = /(?:^|; )user=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1];
  if (name === undefined) return next(request);
  return next(withPrincipal(request, { user: name, type: "cookie", groups: [], claims: {} }));
};

requires(frameworksPython, "chromium")(
  "Django Channels: two people chat in Chromium, pages and sockets over HTTP/2, each as the gateway's user",
  async () => {
    const cwd = join(import.meta.dirname, "../python/channels_chat");
    const chat = pythonAsgi("chat:application", {
      cwd,
      python: frameworksPython,
      workers: 1,
      userHeader: "X-Remote-User",
    });
    const protocols: string[] = [];
    const count: Middleware = (next) => (request) => {
      protocols.push(`${request.kind} ${request.protocol}`);
      return next(request);
    };
    const server = serve(gateway().mount("/chat", compose([count, cookieUser], chat)), {
      bind: "127.0.0.1:0",
      tls: certificate,
    });
    onTestFinished(() => server.close());
    await server.ready;
    const people = await Promise.all(
      (["light", "dark"] as const).map(async (colorScheme, at) => {
        const { page, context } = await openPage({ colorScheme });
        const user = ["ann", "bob"][at] as string;
        await context.addCookies([{ name: "user", value: user, url: server.url }]);
        return { page, user };
      }),
    );
    const [ann, bob] = people.map(({ page }) => page) as [(typeof people)[0]["page"], (typeof people)[0]["page"]];
    await ann.goto(`${server.url}/chat/kitchen/`);
    await ann.getByText("ann joins over HTTP/2").waitFor();
    await bob.goto(`${server.url}/chat/kitchen/`);
    await ann.getByText("bob joins over HTTP/2").waitFor();
    expect(await ann.locator("strong").textContent()).toBe("ann");
    expect(await ann.locator("#protocol").textContent()).toBe("h2");
    await ann.fill("#message", "Is the soup ready? 국물 좋아요");
    await ann.press("#message", "Enter");
    await bob.getByText("ann: Is the soup ready? 국물 좋아요").waitFor();
    await bob.fill("#message", `No. ${"Patience. ".repeat(30)}`);
    await bob.press("#message", "Enter");
    await ann.getByText("bob: No. Patience.").waitFor();
    await takePicture(ann, "channels-chat-light");
    await takePicture(bob, "channels-chat-dark");
    expect(protocols.filter((one) => one === "websocket HTTP/2.0")).toHaveLength(2);
    expect(new Set(protocols)).toEqual(new Set(["http HTTP/2.0", "websocket HTTP/2.0"]));
    await bob.goto("about:blank");
    await ann.getByText(/bob leaves with 100[16]/).waitFor(); // Chromium resets the stream; another browser may say why
    await server.close();
    await ann.getByText("closed with 1012").waitFor();
  },
  60_000,
);
