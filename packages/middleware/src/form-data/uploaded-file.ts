// A file that was uploaded: in memory while it is short, else in a temporary file without a name.
import { open, rename, unlink } from "node:fs/promises";
import {
  bufferBody,
  GatewayError,
  type GatewayRequest,
  incomingBody,
  type RequestBody,
  type SpoolStore,
} from "@gw/core";
import type { FormFilePart } from "./multipart.ts";

/** A file of a form that was read. It is there until the exchange ends; `saveTo` keeps it. */
export interface UploadedFile {
  /** Name of the form's control, text. */
  readonly name: string;
  /** What the client calls the file, without folders, text. Untrusted: never a path on this machine. May be empty. */
  readonly fileName: string;
  /** Media type as the client claims, lower case. Untrusted. */
  readonly type: string;
  /** Length in bytes. */
  readonly size: number;
  /** All of it. */
  bytes(): Promise<Uint8Array>;
  /** All of it, piece by piece; as often as you like. */
  stream(): AsyncIterable<Uint8Array>;
  /** Writes it to a path of your choice, whole or not at all; a file that is there is replaced. */
  saveTo(path: string): Promise<void>;
}

/** Where uploaded files are kept. */
export interface KeepOptions {
  readonly maxMemoryBytes: number;
  readonly spool: SpoolStore;
}

/** Reads a file to its end and keeps it until the exchange ends, however it ends. */
export async function keepFile(
  part: FormFilePart,
  request: GatewayRequest,
  { maxMemoryBytes, spool }: KeepOptions,
): Promise<UploadedFile> {
  const body = incomingBody({
    length: null,
    exchange: { maxBodyBytes: Number.POSITIVE_INFINITY }, // the form's own limits have been at work
    open: () => part.body,
  });
  const kept = await bufferBody({ ...request, body }, { maxMemoryBytes, spool });
  const { name, fileName, type } = part;
  return new KeptFile({ name, fileName, type, size: kept.body.length ?? 0 }, kept);
}

class KeptFile implements UploadedFile {
  readonly name: string;
  readonly fileName: string;
  readonly type: string;
  readonly size: number;
  readonly #body: RequestBody;
  #isGone = false;

  constructor(facts: Pick<UploadedFile, "name" | "fileName" | "type" | "size">, { body, exchange }: GatewayRequest) {
    this.name = facts.name;
    this.fileName = facts.fileName;
    this.type = facts.type;
    this.size = facts.size;
    this.#body = body;
    exchange.onEnd(() => {
      this.#isGone = true;
    });
  }

  async bytes(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.stream()) chunks.push(chunk);
    return Buffer.concat(chunks, this.size);
  }

  async *stream(): AsyncGenerator<Uint8Array> {
    this.#check();
    try {
      yield* this.#body;
    } catch (error) {
      this.#check(); // the exchange has ended in the middle
      throw error;
    }
  }

  async saveTo(path: string): Promise<void> {
    this.#check();
    const unfinished = `${path}.${crypto.randomUUID()}.part`;
    const file = await open(unfinished, "wx");
    try {
      for await (const chunk of this.stream()) await file.writeFile(chunk);
      await file.close();
      await rename(unfinished, path);
    } catch (error) {
      await file.close().catch(() => {});
      await unlink(unfinished).catch(() => {});
      throw error;
    }
  }

  #check(): void {
    if (!this.#isGone) return;
    throw new GatewayError(
      "GW_FORM_ENDED",
      500,
      `the file ${JSON.stringify(this.name)} is gone: its exchange has ended`,
    );
  }
}
