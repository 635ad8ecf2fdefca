// multipart/form-data (RFC 7578) as parts, one after the other: a part is read from the client when it is asked for.
import { Busboy, type BusboyFileStream, type BusboyInstance } from "@fastify/busboy";
import type { RequestBody } from "@gw/core";
import { beyondLimit, checkNames, noForm, shown, type WholeFormLimits } from "./limits.ts";

/** A field of a form. Name and value are text. */
export interface FormField {
  readonly kind: "field";
  readonly name: string;
  readonly value: string;
}

/** A file of a form, while it arrives. */
export interface FormFilePart {
  readonly kind: "file";
  /** Name of the form's control, text. */
  readonly name: string;
  /** What the client calls the file, without folders, text. Untrusted: never a path on this machine. May be empty. */
  readonly fileName: string;
  /** Media type as the client claims, lower case. Untrusted. */
  readonly type: string;
  /** The bytes, until the next part is asked for; what is not read is passed over. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** One part of a form. */
export type FormPart = FormField | FormFilePart;

/** The parts of a multipart body. */
export async function* multipartParts(
  body: RequestBody,
  contentType: string,
  limits: WholeFormLimits,
): AsyncGenerator<FormPart> {
  const reader = new MultipartReader(checkedType(contentType), limits);
  void reader.feed(body);
  try {
    for (let part = await reader.next(); part !== null; part = await reader.next()) yield part;
  } finally {
    reader.close();
  }
}

const BOUNDARY = /;\s*boundary=(?:"([^"\\]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i; // RFC 2046 §5.1.1: 1 to 70 chars

function checkedType(contentType: string): string {
  if (!BOUNDARY.test(contentType)) throw noForm("Content-Type has no boundary of 1 to 70 chars");
  return contentType;
}

/** Feeds busboy from a body no faster than parts are taken from it. */
class MultipartReader {
  readonly #limits: WholeFormLimits;
  readonly #boy: BusboyInstance;
  readonly #parts: FormPart[] = [];
  readonly #files: Set<BusboyFileStream> = new Set();
  #taken: BusboyFileStream | null = null;
  #failure: unknown = null;
  #isOver = false;
  #wake: () => void = () => {};
  #changed: Promise<void> = Promise.resolve();

  constructor(contentType: string, limits: WholeFormLimits) {
    this.#limits = limits;
    this.#boy = busboyOf(contentType, limits);
    this.#renew();
    this.#listen(this.#boy, limits);
  }

  /** Settles when all is fed, or nothing more is wanted. Never rejects: what goes wrong reaches whoever asks for parts. */
  async feed(body: RequestBody): Promise<void> {
    try {
      for await (const chunk of body) {
        const written = new Promise<void>((resolve) => this.#boy.write(chunk, () => resolve()));
        await Promise.race([written, this.#over()]);
        await this.#until(() => this.#parts.length === 0);
        if (this.#isOver) return;
      }
      this.#boy.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The next part, `null` after the last. */
  async next(): Promise<FormPart | null> {
    this.#taken?.resume(); // what was not read of the file before
    await this.#until(() => this.#parts.length > 0);
    if (this.#failure !== null) throw this.#failure;
    const part = this.#parts.shift() ?? null;
    this.#taken = part?.kind === "file" ? (fileOf.get(part) ?? null) : null;
    this.#renew();
    return part;
  }

  /** Lets go of everything. */
  close(): void {
    this.#end();
    for (const file of this.#files) file.destroy();
  }

  #listen(boy: BusboyInstance, limits: WholeFormLimits): void {
    boy.on("field", (name, value, _isNameCut, isCut) => this.#addField(name, value, isCut));
    boy.on("file", (name, file, fileName, _coding, type) => this.#addFile(file, name, fileName, type));
    boy.on("partsLimit", () => this.#fail(beyondLimit("maxParts", limits, "the form has too many parts")));
    boy.on("fieldsLimit", () => this.#fail(beyondLimit("maxFields", limits, "the form has too many fields")));
    boy.on("filesLimit", () => this.#fail(beyondLimit("maxFiles", limits, "the form has too many files")));
    boy.on("error", (error) => this.#fail(noForm((error as Error).message, error)));
    boy.on("finish", () => this.#end());
  }

  #addField(name: string, value: string, isCut: boolean): void {
    this.#add(() => {
      checkNames([name], this.#limits);
      if (isCut) throw beyondLimit("maxFieldBytes", this.#limits, `the field ${shown(name)} is too long`);
      return { kind: "field", name, value };
    });
  }

  #addFile(file: BusboyFileStream, name: string, fileName: string | undefined, type: string): void {
    this.#files.add(file);
    file.on("error", () => {}); // whoever reads it is told
    file.on("close", () => this.#files.delete(file));
    file.on("limit", () =>
      this.#fail(beyondLimit("maxFileBytes", this.#limits, `the file ${shown(name)} is too long`)),
    );
    this.#add(() => {
      checkNames([name, fileName ?? ""], this.#limits);
      const part: FormPart = { kind: "file", name, fileName: fileName ?? "", type, body: this.#bytesOf(file) };
      fileOf.set(part, file);
      return part;
    });
  }

  #add(make: () => FormPart): void {
    if (this.#isOver) return;
    try {
      this.#parts.push(make());
      this.#renew();
    } catch (error) {
      this.#fail(error);
    }
  }

  async *#bytesOf(file: BusboyFileStream): AsyncGenerator<Uint8Array> {
    try {
      yield* file.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw this.#failure ?? error;
    }
    if (this.#failure !== null) throw this.#failure;
  }

  /** The first failure counts: every part that is still open fails with it, and no other comes. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = error;
    this.#parts.length = 0;
    this.#end();
    for (const file of this.#files) file.destroy(error as Error);
  }

  #end(): void {
    this.#isOver = true;
    this.#renew();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!this.#isOver && !isSo()) await this.#changed;
  }

  #over(): Promise<void> {
    return this.#until(() => false);
  }

  #renew(): void {
    this.#wake();
    this.#changed = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

const fileOf = new WeakMap<FormPart, BusboyFileStream>();

function busboyOf(contentType: string, limits: WholeFormLimits): BusboyInstance {
  return new Busboy({
    headers: { "content-type": contentType },
    // A part is a file when it has a name as one; RFC 7578 §4.2.
    isPartAFile: (_name, _type, fileName) => fileName !== undefined,
    limits: {
      parts: limits.maxParts,
      fields: limits.maxFields,
      fieldSize: limits.maxFieldBytes,
      files: limits.maxFiles,
      fileSize: limits.maxFileBytes,
      headerSize: limits.maxHeaderBytes,
      headerPairs: 20,
    },
  });
}
