import { expect, test } from "vitest";
import * as ws from "ws";
import { payloadBytes, writeMessage as writeWith } from "./websocket-frame.ts";

/** The receiving half of `ws`; its types leave it out. */
interface FrameReceiver {
  on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): void;
  write(bytes: Uint8Array): void;
}
const { Receiver } = ws as unknown as { Receiver: new (options: object) => FrameReceiver };

const writeMessage = (message: string | Uint8Array): readonly Uint8Array[] => writeWith(message, payloadBytes(message));

test.each<[string, string | Uint8Array, string]>([
  ["no bytes", new Uint8Array(0), "8200"],
  ["a short text", "Hello", "810548656c6c6f"],
  ["text of two-byte chars", "é", "8102c3a9"],
  ["bytes", Uint8Array.of(0, 255), "820200ff"],
])("writes %s as RFC 6455 shows it", (_, message, hex) => {
  expect(Buffer.concat(writeMessage(message)).toString("hex")).toBe(hex);
});

test.each([0, 1, 125, 126, 127, 4_096, 4_097, 65_535, 65_536, 200_000])(
  "a message of %i bytes is read back as it was",
  (length) => {
    for (const message of ["x".repeat(length), new Uint8Array(length).fill(7)]) {
      const receiver = new Receiver({ isServer: false, maxPayload: 1_000_000 });
      const received: [Buffer, boolean][] = [];
      receiver.on("message", (data, isBinary) => received.push([data, isBinary]));
      for (const part of writeMessage(message)) receiver.write(part);
      const [data, isBinary] = received[0] as [Buffer, boolean];
      expect(isBinary).toBe(typeof message !== "string");
      expect(data.equals(Buffer.from(message as string))).toBe(true);
    }
  },
);

test("small messages are one buffer, so that they are one write", () => {
  expect(writeMessage("x".repeat(4_096))).toHaveLength(1);
  expect(writeMessage("x".repeat(4_097))).toHaveLength(2);
});
