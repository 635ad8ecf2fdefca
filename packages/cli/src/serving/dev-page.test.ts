import { accept, compose, GatewayError, text, webSocket } from "@gw/core";
import { openSocket, request } from "@gw/core/testing";
import { describe, expect, test } from "vitest";
import { devErrors, errorPage, errorText } from "./dev-page.ts";

const broken = compose([devErrors()], () => {
  throw new Error("boom <b>", { cause: new TypeError("deep & down") });
});

describe("devErrors", () => {
  test("shows a browser the error with its causes and stack, escaped, and lets nothing of it run", async () => {
    const answer = await request(broken, "/x?<i>", { headers: [["Accept", "text/html,*/*"]] });
    expect(answer.status).toBe(500);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    const page = answer.text();
    expect(page).toContain("<h1>Error: boom &#60;b&#62;</h1>");
    expect(page).toContain("<h1>Caused by: TypeError: deep &#38; down</h1>");
    expect(page).toContain("dev-page.test.ts");
    expect(page).toContain("GET /x?");
    expect(page).not.toContain("<b>");
    expect(page).not.toContain("<i>");
  });

  test("shows other clients the same as text", async () => {
    const answer = await request(broken, "/");
    expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(answer.text()).toMatch(/^GET \/\n\nError: boom <b>\n {4}at /);
    expect(answer.text()).toContain("Caused by: TypeError: deep & down");
  });

  test("leaves alone what an app answers itself, client errors and sockets", async () => {
    const own = compose([devErrors()], () => text("my own 500", { status: 500 }));
    expect((await request(own, "/")).text()).toBe("my own 500");
    const refused = compose([devErrors()], () => {
      throw new GatewayError("GW_X", 404, "not here");
    });
    expect((await request(refused, "/")).text()).toBe("404 Not Found\nnot here\n");
    const echo = webSocket(() => accept((peer) => peer.close(1000, "bye")));
    const socket = await openSocket(compose([devErrors()], echo), "/");
    expect(socket.response).toBeNull();
    await socket.ended;
  });
});

test("shows what was thrown even if it is no error, and a circle of causes only so far", () => {
  expect(errorText("just text", "GET /")).toBe("GET /\n\njust text\n");
  const circle = new Error("round");
  circle.cause = circle;
  expect(errorPage(circle, "GET /").match(/<h1>/g)).toHaveLength(8);
});

test("names the code of errors that have one", () => {
  expect(errorPage(new GatewayError("GW_CODE", 500, "why"), "GET /")).toContain("<h1>GW_CODE: why</h1>");
});
