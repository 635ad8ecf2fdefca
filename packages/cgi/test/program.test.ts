import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { requires } from "@gw-private/requires";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "./programs.ts";
import { PROGRAM, resultOf, runProgram, startProgram, variablesOf } from "./run-program.ts";

describe("answers", () => {
  test("an app answers as a CGI program: header block, body, exit code 0", async () => {
    const { stdout, code } = await runProgram("/hello");
    expect(stdout.toString()).toBe(
      "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n\r\nhello\n",
    );
    expect(code).toBe(0);
  });

  test("an async app answers too", async () => {
    expect(await runProgram("/later")).toMatchObject({ body: "later\n", code: 0 });
  });

  test("the request is what the variables say", async () => {
    const { body } = await runProgram("/request", {
      variables: {
        QUERY_STRING: "a=%20b",
        HTTPS: "on",
        SERVER_PORT: "443",
        REMOTE_PORT: "1234",
        HTTP_X_MINE: "1",
        HTTP_PROXY: "evil",
      },
    });
    expect(JSON.parse(body)).toEqual({
      method: "GET",
      mount: "/app",
      path: "/request",
      query: "a=%20b",
      target: "/app/request?a=%20b",
      client: { host: "192.0.2.1", port: 1234 },
      server: { host: "example.org", port: 443 },
      scheme: "https",
      protocol: "HTTP/1.1",
      headers: expect.arrayContaining([["Host", "example.org"]]),
    });
    expect(body).not.toContain("evil");
  });

  test("HEAD is answered without a body, but with its length", async () => {
    const { head, body } = await runProgram("/hello", { variables: { REQUEST_METHOD: "HEAD" } });
    expect([head.at(-1), body]).toEqual(["Content-Length: 6", ""]);
  });

  test("204 is answered without a body and without a length", async () => {
    const { head, body } = await runProgram("/no-content");
    expect([head, body]).toEqual([["Status: 204 No Content"], ""]);
  });

  test("5 MB arrive whole, as one array and as 5,000 chunks", async () => {
    expect((await runProgram("/large")).body).toBe("a".repeat(5_000_000));
    const chunked = await runProgram("/chunks");
    expect([chunked.body.length, chunked.code]).toEqual([5_000_000, 0]);
  });

  test("a file as standard output gets the whole answer", async () => {
    const file = `${temporaryDirectory()}/out`;
    const child = spawn(process.execPath, [PROGRAM], {
      env: variablesOf("/large"),
      stdio: ["ignore", openSync(file, "w"), "ignore"],
    });
    await once(child, "exit");
    expect(readFileSync(file).length).toBeGreaterThan(5_000_000);
  });

  test("output is sent before the answer is finished", async () => {
    const file = `${temporaryDirectory()}/go`;
    const child = startProgram(variablesOf("/stream", { QUERY_STRING: file }));
    const [first] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    expect(first.toString()).toBe("Status: 200 OK\r\nContent-Type: text/x-bytes\r\n\r\nfirst\n");
    writeFileSync(file, "");
    const { stdout, code } = await resultOf(child);
    expect([stdout.toString(), code]).toEqual(["second\n", 0]);
  });

  test("a client redirect stays one, and a 200 has no Location that a server would take for one", async () => {
    expect((await runProgram("/redirect")).head).toEqual(["Status: 302 Found", "Location: /there"]);
    expect((await runProgram("/found")).head.join()).not.toContain("Location");
    expect((await runProgram("/created")).head).toContain("Location: /made/1");
  });

  test("what the app prints goes to the log, not into the answer", async () => {
    const { body, stderr } = await runProgram("/printing");
    expect(body).toBe("clean\n");
    expect(stderr).toContain("printed\nwritten\n");
  });

  test("there is no 103", async () => {
    expect((await runProgram("/hints")).body).toBe('{"inform":false}');
  });
});

describe("request bodies", () => {
  const body = Buffer.from(new Uint8Array(300_000).map((_, at) => at));
  const variables = { REQUEST_METHOD: "POST", CONTENT_LENGTH: String(body.length) };

  test.each(["/echo", "/echo-sync"])("a body is read byte for byte (%s)", async (path) => {
    const { stdout, code } = await runProgram(path, { input: body, variables });
    expect(Buffer.compare(stdout.subarray(-body.length), body)).toBe(0);
    expect(code).toBe(0);
  });

  test.each(["/echo", "/echo-sync"])("not one byte past CONTENT_LENGTH is waited for (%s)", async (path) => {
    const child = startProgram(variablesOf(path, { REQUEST_METHOD: "POST", CONTENT_LENGTH: "4" }));
    child.stdin?.on("error", () => {});
    child.stdin?.write("bodyand more"); // and never ended
    expect((await resultOf(child)).body).toBe("body");
  });

  test("an app that does not ask for the body does not wait for it", async () => {
    const child = startProgram(variablesOf("/hello", variables));
    expect((await resultOf(child)).body).toBe("hello\n"); // standard input is open and empty all the time
  });

  test("an answer arrives though the body is left unread, also where one socket is input and output (Apache's mod_cgid)", async () => {
    const path = `${temporaryDirectory()}/socket`;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(path);
    await once(server, "listening");
    const client = connect({ path, allowHalfOpen: true });
    const [given] = (await once(server, "connection")) as [Socket];
    const env = variablesOf("/hello", { REQUEST_METHOD: "POST", CONTENT_LENGTH: "900000" });
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: [given, given, "ignore"] });
    given.destroy();
    server.close();
    client.on("error", () => {});
    client.write(new Uint8Array(900_000));
    const chunks: Buffer[] = [];
    for await (const chunk of client as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toMatch(/^Status: 200 OK\r\n.*\r\nhello\n$/s);
    expect(child.exitCode ?? (await once(child, "exit"))[0]).toBe(0);
  });

  test("a body from a file is read", async () => {
    const file = `${temporaryDirectory()}/in`;
    writeFileSync(file, "from a file");
    const env = variablesOf("/echo", { REQUEST_METHOD: "POST", CONTENT_LENGTH: "11" });
    const child = spawn(process.execPath, [PROGRAM], { env, stdio: [openSync(file, "r"), "pipe", "pipe"] });
    expect((await resultOf(child)).body).toBe("from a file");
  });

  test("a chunked body without CONTENT_LENGTH, as Apache hands it over, is read to its end", async () => {
    const chunked = { REQUEST_METHOD: "POST", HTTP_TRANSFER_ENCODING: "chunked" };
    expect((await runProgram("/echo", { input: "no length", variables: chunked })).body).toBe("no length");
  });

  test("without CONTENT_LENGTH there is no body", async () => {
    expect((await runProgram("/echo", { input: "ignored", variables: { REQUEST_METHOD: "POST" } })).body).toBe("");
  });

  test("R-H7: a body over the limit is a 413", async () => {
    const { head } = await runProgram("/echo", { variables: { REQUEST_METHOD: "POST", CONTENT_LENGTH: "1000001" } });
    expect(head[0]).toBe("Status: 413 Content Too Large");
  });

  test("a body that breaks off is a 400", async () => {
    const { head } = await runProgram("/echo", { input: "half", variables: { ...variables, CONTENT_LENGTH: "10" } });
    expect(head[0]).toBe("Status: 400 Bad Request");
  });
});

describe("the life of the process", () => {
  test("start, the answer, its end and stop run in this order", async () => {
    const { stderr, code } = await runProgram("/end");
    expect([stderr, code]).toEqual(["start\nend: 200 6 sent\nstop\n", 0]);
  });

  test("a small answer loads neither sockets nor child processes nor HTTP", async () => {
    const loaded = JSON.parse((await runProgram("/loaded")).body) as string[];
    expect(loaded).toContain("fs");
    for (const name of ["net", "http", "child_process", "worker_threads", "tty"]) expect(loaded).not.toContain(name);
  });

  test("timers that the app left running do not hold up the end of the answer or of the process", async () => {
    expect(await runProgram("/lingering")).toMatchObject({ body: "answered\n", code: 0 });
  });

  test("R-W5: an app that throws answers 500 without detail, which is in the log; that is an answer", async () => {
    const { head, body, stderr, code } = await runProgram("/throws");
    expect([head[0], body, code]).toEqual(["Status: 500 Internal Server Error", "500 Internal Server Error\n", 0]);
    expect(stderr).toContain("s3cret detail");
  });

  test.each([
    ["fails to start", "/hello", { GW_TEST_FAILS: "start" }, "no database"],
    ["can never answer", "/never", {}, "cannot happen any more"],
    ["throws in a callback", "/crashes", {}, "thrown in a callback"],
  ])("an app that %s answers 500 without detail and exits 1", async (_, path, variables, detail) => {
    const { head, body, stderr, code } = await runProgram(path, { variables });
    expect([head[0], body, code]).toEqual(["Status: 500 Internal Server Error", "500 Internal Server Error\n", 1]);
    expect(stderr).toContain(detail);
  });

  test("an app that fails to stop has answered, but exits 1", async () => {
    const { body, stderr, code } = await runProgram("/hello", { variables: { GW_TEST_FAILS: "stop" } });
    expect([body, code]).toEqual(["hello\n", 1]);
    expect(stderr).toContain("no farewell");
  });

  test("R-C19: a body that breaks off, or is shorter than its length, exits 1", async () => {
    expect(await runProgram("/breaks")).toMatchObject({ body: "half", code: 1 });
    expect(await runProgram("/short")).toMatchObject({ body: "short", code: 1 });
  });

  test.each(["/..", "/a/../../b"])("a path that cannot be read, %s, is the client's fault: 400", async (path) => {
    const { head, body, code } = await runProgram(path);
    expect([head[0], code]).toEqual(["Status: 400 Bad Request", 0]);
    expect(body).toMatch(/^400 Bad Request\n/);
  });

  test("R-H5: a header that would split the answer becomes a 500", async () => {
    const { head, stdout } = await runProgram("/bad-head");
    expect(head[0]).toBe("Status: 500 Internal Server Error");
    expect(stdout.toString()).not.toContain("X-B");
  });

  test("an app that accepts a WebSocket, which was not asked for, answers 500", async () => {
    expect((await runProgram("/socket")).head[0]).toBe("Status: 500 Internal Server Error");
  });

  test("without a web server it says so and exits 1", async () => {
    const child = startProgram({ PATH: "/usr/bin:/bin" });
    const { stderr, code } = await resultOf(child);
    expect(code).toBe(1);
    expect(stderr).toContain("GW_CGI_REQUEST");
  });

  test("the signal fires when the server stops reading", async () => {
    const child = startProgram(variablesOf("/endless"));
    child.stdout?.once("data", () => child.stdout?.destroy());
    const { stderr, code } = await resultOf(child);
    expect(stderr).toContain("signal: GW_CGI_GONE\n");
    expect(stderr).toContain("end: gone\n");
    expect(code).toBe(1);
  });

  test("a reader that is slow holds the app back", async () => {
    const child = startProgram(variablesOf("/endless"));
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    await once(child.stdout as NodeJS.ReadableStream, "readable"); // and read no more
    await expect.poll(() => stderr).toContain("start");
    child.kill("SIGTERM");
    await expect.poll(() => stderr).toContain("sent: ");
    expect(Number(/sent: (\d+)/.exec(stderr)?.[1])).toBeLessThan(2_000);
  });

  test("the signal fires on SIGTERM, and the app may still answer", async () => {
    const child = startProgram(variablesOf("/waiting"));
    child.stderr?.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("waiting")) child.kill("SIGTERM");
    });
    const { stderr, code } = await resultOf(child);
    expect(stderr).toContain("signal: GW_CGI_GONE\n");
    expect(code).toBe(1);
  });
});

requires("/proc/self/environ", "sh")("bytes of the environment that are no UTF-8 are kept", async () => {
  const variables = variablesOf("/request", { HTTP_X_MINE: "placeholder" });
  const script = `PATH_INFO=/request HTTP_X_MINE=$(printf 'caf\\351') exec "$0" "$1"`;
  const child = spawn("/bin/sh", ["-c", script, process.execPath, PROGRAM], { env: variables, stdio: "pipe" });
  const { stdout } = await resultOf(child);
  const { headers } = JSON.parse(stdout.toString().split("\r\n\r\n")[1] ?? "") as { headers: [string, string][] };
  expect(headers.find(([name]) => name === "X-Mine")?.[1]).toBe("caf\xe9");
});
