// The JSON Schema of gw.config.json, made from the table of options. Pure.
import { MOUNT_KEYS, SETTING_KEYS } from "./check.ts";
import type { Option } from "./option.ts";
import { OPTIONS } from "./options.ts";
import { DURATION, SIZE, type ValueKind } from "./values.ts";

/** A schema, as plain data. */
export type JsonSchema = { readonly [key: string]: unknown };

/** The schema of a configuration file (draft-07, which editors know): a configuration, or a table of mounts. */
export function configSchema(): JsonSchema {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "gw.config.json",
    description: "Configuration of the gw command: https://github.com/gw-project/gw/blob/main/docs/cli.md",
    anyOf: [{ $ref: "#/definitions/configuration" }, { $ref: "#/definitions/table" }],
    definitions: {
      configuration: {
        type: "object",
        properties: {
          $schema: { type: "string" },
          app: described("The app that answers what no mount takes, as on the command line.", { type: "string" }),
          mounts: described("Apps by path (/app), host (admin.example.com) or both.", {
            type: "object",
            additionalProperties: { $ref: "#/definitions/mount" },
          }),
          use: described("Layers around everything, the first outermost, as for --use.", {
            type: "array",
            items: { type: "string" },
          }),
          ...Object.fromEntries(OPTIONS.filter(isKey).map((option) => [option.key, settingSchema(option)])),
        },
        additionalProperties: false,
      },
      table: {
        type: "object",
        description: "Mounts alone: every key is a path or a host.",
        properties: { $schema: { type: "string" } },
        patternProperties: { "[/.]": { $ref: "#/definitions/mount" } },
        additionalProperties: false,
      },
      mount: { anyOf: [{ type: "string" }, MOUNT] },
    },
  };
}

function isKey({ key }: Option): boolean {
  return SETTING_KEYS.includes(key);
}

const COUNT: JsonSchema = { type: ["integer", "string"], minimum: 0, pattern: "^\\d+$" };

/** What JSON can say of a mount: all but the keys that hold functions. */
const MOUNT: JsonSchema = {
  type: "object",
  properties: pick({
    app: described("The app, as on the command line.", { type: "string" }),
    maxBodyBytes: described("Largest request body here, bytes.", { type: "number", minimum: 0 }),
    accessLog: described("The access log of this mount: none, a format, or a format and a file.", {
      anyOf: [
        { type: "boolean" },
        { type: "string" },
        {
          type: "object",
          properties: { format: { type: "string" }, file: { type: "string" } },
          additionalProperties: false,
        },
      ],
    }),
    limitConcurrency: described("Requests at once to this mount, of all workers together; further ones wait.", COUNT),
    limitQueue: described("Requests that wait for their turn here; beyond: 503. Default: 64.", COUNT),
    queueTimeout: described("Longest wait here; then 503. Default: 5s.", {
      type: ["number", "string"],
      minimum: 0,
      pattern: DURATION.source,
    }),
  }),
  required: ["app"],
  additionalProperties: false,
};

function pick(properties: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => MOUNT_KEYS.includes(key)));
}

/** 0 to 65535, as text. */
const PORT = "^0*(\\d{1,4}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])$";

const KINDS: Readonly<Record<ValueKind, JsonSchema>> = {
  text: { type: "string" },
  path: { type: "string", minLength: 1 },
  switch: { type: "boolean" },
  number: COUNT,
  port: { ...COUNT, maximum: 65_535, pattern: PORT },
  duration: { type: ["number", "string"], minimum: 0, pattern: DURATION.source },
  size: { type: ["number", "string"], minimum: 0, pattern: SIZE.source },
  list: { type: "string" },
};

function settingSchema(option: Option): JsonSchema {
  const { kind, choices, repeatable, help, default: byDefault } = option;
  const text = `${help[0]?.toUpperCase()}${help.slice(1)}.${byDefault === undefined ? "" : ` Default: ${byDefault}.`}`;
  if (choices !== undefined) return described(text, { enum: choices.flatMap(bothForms) });
  const one = KINDS[kind];
  const isMany = repeatable || kind === "list";
  return described(text, isMany ? { anyOf: [one, { type: "array", items: one }] } : one);
}

/** `"2"` may be written as `2`. */
function bothForms(choice: string): readonly (string | number)[] {
  return /^\d+$/.test(choice) ? [choice, Number(choice)] : [choice];
}

function described(description: string, schema: JsonSchema): JsonSchema {
  return { description, ...schema };
}
