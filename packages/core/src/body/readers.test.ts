import { expect, test } from "vitest";
import { encodeText } from "../bytes/byte-string.ts";
import { isPromise } from "../pipeline/and-then.ts";
import { type TestBody, testRequest } from "../testing/builders.ts";
import { bufferBody, memoryBody } from "./buffer.ts";
import { readBytes, readForm, readJson, readText } from "./readers.ts";

const post = (body: TestBody, type?: string) =>
  testRequest("/", { method: "POST", body, headers: type === undefined ? {} : { "Content-Type": type } });

test("reads text as UTF-8, or in the charset of its Content-Type", async () => {
  expect(await readText(post("안녕"))).toBe("안녕");
  expect(await readText(post(Uint8Array.of(0xe9), "text/plain; charset=iso-8859-1"))).toBe("é");
  expect(await readText(post(Uint8Array.of(0xe9), 'text/plain; charset="latin1"'))).toBe("é");
});

test("text in an unknown charset is 415, bytes that are not in it are 400", async () => {
  const unknown = async () => readText(post("x", "text/plain; charset=klingon"));
  await expect(unknown()).rejects.toMatchObject({ code: "GW_BODY_TYPE", status: 415 });
  await expect(readText(post(Uint8Array.of(0xff)))).rejects.toMatchObject({ code: "GW_BODY_SYNTAX", status: 400 });
});

test.each(["application/json", "application/json; charset=utf-8", "Application/Problem+JSON"])(
  "reads JSON sent as %s",
  async (type) => {
    expect(await readJson(post('{"a":[1,"안"]}', type))).toEqual({ a: [1, "안"] });
  },
);

test("JSON of another type is 415, unless any type is wanted", async () => {
  for (const type of [undefined, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"]) {
    expect(() => readJson(post("{}", type))).toThrow(expect.objectContaining({ code: "GW_BODY_TYPE", status: 415 }));
  }
  expect(await readJson(post("{}", "text/plain"), { anyType: true })).toEqual({});
});

test.each(["", "{", "nope", "\u0000"])("a body that is not JSON is 400: %j", async (body) => {
  const read = async () => readJson(post(body, "application/json"));
  await expect(read()).rejects.toMatchObject({ code: "GW_BODY_SYNTAX", status: 400 });
});

test("reads form fields in order, with repeats, + as blank", async () => {
  const form = await readForm(post("a=1&b=%EC%95%88+x&a=2&c", "application/x-www-form-urlencoded; charset=UTF-8"));
  expect([...form]).toEqual([
    ["a", "1"],
    ["b", "안 x"],
    ["a", "2"],
    ["c", ""],
  ]);
});

test("a multipart form is 415: another layer reads it", () => {
  expect(() => readForm(post("x", "multipart/form-data; boundary=x"))).toThrow(
    expect.objectContaining({ code: "GW_BODY_TYPE", status: 415 }),
  );
});

test("a body larger than asked for is 413, announced or not", async () => {
  expect(() => readBytes(post("abcd"), { maxBytes: 3 })).toThrow(expect.objectContaining({ status: 413 }));
  const chunked = post([encodeText("ab"), encodeText("cd")]);
  await expect(readBytes(chunked, { maxBytes: 3 })).rejects.toMatchObject({ code: "GW_BODY_TOO_LARGE", status: 413 });
  const sync = { ...post(""), body: { ...memoryBody(encodeText("abcd")), length: null } };
  expect(() => readBytes(sync, { maxBytes: 3 })).toThrow(expect.objectContaining({ status: 413 }));
});

test("a body that can be read synchronously is read without a promise", async () => {
  const request = await bufferBody(post('{"a":1}', "application/json"));
  const value = readJson(request);
  expect(isPromise(value)).toBe(false);
  expect(value).toEqual({ a: 1 });
});

test("JSON keys named __proto__ are plain keys", async () => {
  const value = (await readJson(post('{"__proto__":{"admin":true}}', "application/json"))) as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(["__proto__"]);
  expect(({} as Record<string, unknown>).admin).toBe(undefined);
});
