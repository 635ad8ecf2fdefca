// Forms with files: multipart/form-data (RFC 7578) and urlencoded, within limits, streamed or read whole.
import {
  type Answer,
  andThen,
  GatewayError,
  type GatewayRequest,
  layer,
  type MaybePromise,
  type Middleware,
  memoryBody,
  type RequestHead,
  readBytes,
  readForm,
  type StateKey,
  stateKey,
} from "@gw/core";
import { fileSpool } from "@gw/core/node";
import {
  beyondLimit,
  checkNames,
  type FormLimits,
  formLimits,
  shown,
  type WholeFormLimits,
} from "./form-data/limits.ts";
import { type FormPart, multipartParts } from "./form-data/multipart.ts";
import { type KeepOptions, keepFile, type UploadedFile } from "./form-data/uploaded-file.ts";

export type { FormLimits } from "./form-data/limits.ts";
export type { FormField, FormFilePart, FormPart } from "./form-data/multipart.ts";
export type { UploadedFile } from "./form-data/uploaded-file.ts";

/** Settings of `formData`. */
export interface FormDataOptions extends FormLimits {
  /**
   * When the form is read: `"lazy"`, when the app asks; `"eager"`, before the app runs, which makes it usable from a sync
   * app. Risk of eager: whatever is inside finds no body any more. @default "lazy"
   */
  load?: "lazy" | "eager";
  /** Bytes of one file that are held in memory before it goes to disk. @default 65_536 */
  maxMemoryBytes?: number;
  /** Where temporary files are made; they have no name there, and are gone with the exchange. @default the system's */
  directory?: string;
}

/** A form that was read whole. */
export interface Form {
  /** The fields, in order, text. */
  readonly fields: URLSearchParams;
  /** The files, in order. A file control left empty gives a file without name and bytes. */
  readonly files: readonly UploadedFile[];
  /** The first file of a control, `null` if there is none. */
  file(name: string): UploadedFile | null;
}

/** Reads the form of one request, in one of two ways. */
export interface FormReader {
  /** Whether the body is a form, by its Content-Type. */
  readonly isForm: boolean;
  /** The whole form; the same one each time. Comes at once for a urlencoded form that can be read without waiting. */
  read(): MaybePromise<Form>;
  /** The form that has been read, with `load: "eager"` or by `read`. @throws GatewayError `GW_FORM_UNREAD` before that. */
  readonly form: Form;
  /** The parts as they arrive; nothing is stored. Stop early, and the rest is not read. */
  parts(): AsyncIterable<FormPart>;
}

const key: StateKey<FormReader> = stateKey("gw.form-data");

/**
 * Lets the app read forms, with files, by `formOf(request)`.
 *
 * Beyond a limit: `GW_FORM_TOO_LARGE` (413); a body that breaks the rules or ends early: `GW_FORM_SYNTAX` (400); a body that
 * is no form: `GW_BODY_TYPE` (415). Temporary files never outlive the exchange, nor the process. A request whose form is
 * not asked for goes through untouched, its body too.
 */
export function formData(options: FormDataOptions = {}): Middleware {
  const limits = formLimits(options);
  const { load = "lazy", maxBytes, maxMemoryBytes = 65_536, directory } = options;
  const keep = { maxMemoryBytes, spool: fileSpool(directory === undefined ? {} : { directory }) };
  return layer({
    name: "formData",
    onRequest(request): MaybePromise<GatewayRequest | Answer> {
      const reader = new Reader(request, limits, keep);
      if (maxBytes !== undefined && reader.isForm) request.exchange.maxBodyBytes = maxBytes;
      const known = { ...request, state: request.state.with(key, reader) };
      return load === "eager" && reader.isForm ? andThen(reader.read(), () => known) : known;
    },
  });
}

/** The form of a request. @throws GatewayError `GW_NO_FORM_DATA` (500) without `formData()` around. */
export function formOf(request: RequestHead): FormReader {
  const reader = request.state.get(key);
  if (reader !== undefined) return reader;
  throw new GatewayError("GW_NO_FORM_DATA", 500, "there is no formData() around this app");
}

class Reader implements FormReader {
  readonly isForm: boolean;
  readonly #request: GatewayRequest;
  readonly #limits: WholeFormLimits;
  readonly #keep: KeepOptions;
  readonly #type: string;
  #reading: MaybePromise<Form> | null = null;
  #form: Form | null = null;

  constructor(request: GatewayRequest, limits: WholeFormLimits, keep: KeepOptions) {
    this.#request = request;
    this.#limits = limits;
    this.#keep = keep;
    this.#type = request.headers.get("content-type") ?? "";
    this.isForm = MULTIPART.test(this.#type) || URLENCODED.test(this.#type);
  }

  get form(): Form {
    if (this.#form === null) throw new GatewayError("GW_FORM_UNREAD", 500, "the form was not read: await read() first");
    return this.#form;
  }

  read(): MaybePromise<Form> {
    this.#reading ??= MULTIPART.test(this.#type)
      ? this.#collect()
      : andThen(this.#urlencoded(), (fields) => this.#keepForm(fields, []));
    return this.#reading;
  }

  parts(): AsyncIterable<FormPart> {
    if (MULTIPART.test(this.#type)) return multipartParts(this.#request.body, this.#type, this.#limits);
    return this.#fieldParts();
  }

  async *#fieldParts(): AsyncGenerator<FormPart> {
    for (const [name, value] of await this.#urlencoded()) yield { kind: "field", name, value };
  }

  async #collect(): Promise<Form> {
    const fields = new URLSearchParams();
    const files: UploadedFile[] = [];
    for await (const part of this.parts()) {
      if (part.kind === "field") fields.append(part.name, part.value);
      else files.push(await keepFile(part, this.#request, this.#keep));
    }
    return this.#keepForm(fields, files);
  }

  #keepForm(fields: URLSearchParams, files: readonly UploadedFile[]): Form {
    this.#form = { fields, files, file: (name) => files.find((file) => file.name === name) ?? null };
    return this.#form;
  }

  #urlencoded(): MaybePromise<URLSearchParams> {
    const request = this.#request;
    const limit = { maxBytes: request.exchange.maxBodyBytes };
    if (!URLENCODED.test(this.#type)) return readForm(request); // which says what is wrong
    return andThen(readBytes(request, limit), (bytes) => {
      checkCount(bytes, this.#limits); // before many small fields become many objects
      const read = readForm({ ...request, body: memoryBody(bytes) }, limit);
      return andThen(read, (fields) => checkedFields(fields, this.#limits));
    });
  }
}

const MULTIPART = /^multipart\/form-data\s*(?:;|$)/i;
const URLENCODED = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

function checkCount(bytes: Uint8Array, limits: WholeFormLimits): void {
  const limit = limits.maxFields < limits.maxParts ? "maxFields" : "maxParts";
  let separators = 0;
  for (let at = bytes.indexOf(AMPERSAND); at >= 0; at = bytes.indexOf(AMPERSAND, at + 1)) {
    if (++separators >= limits[limit]) throw beyondLimit(limit, limits, "the form has too many fields");
  }
}

const AMPERSAND = 0x26;

function checkedFields(fields: URLSearchParams, limits: WholeFormLimits): URLSearchParams {
  for (const [name, value] of fields) {
    checkNames([name], limits);
    if (Buffer.byteLength(value) > limits.maxFieldBytes) {
      throw beyondLimit("maxFieldBytes", limits, `the field ${shown(name)} is too long`);
    }
  }
  return fields;
}
