// Rows of the matrix of layers. What is asked and answered: methods, forms, codings, tags, files, fields.
import { gzipSync } from "node:zlib";
import { layer } from "@gw/core";
import * as all from "@gw/middleware";
import { formData, formOf } from "@gw/middleware/form-data";
import { form, held, type LayerRow, MULTIPART, marks, type RowPlace } from "./row.ts";

/** What is asked and answered: methods, forms, codings, tags, files, fields. */
export function contentRows({ folder }: RowPlace): readonly LayerRow[] {
  return [
    {
      layer: "security-headers",
      does: "adds its fields",
      layers: () => [all.securityHeaders()],
      expected: { status: 200, headers: { "x-content-type-options": "nosniff", "x-frame-options": "SAMEORIGIN" } },
      socket: { status: 200 },
    },
    {
      layer: "head",
      does: "asks the app GET",
      layers: () => [all.head()],
      request: { method: "HEAD" },
      expected: { status: 200, headers: { "content-type": /^text\/plain/ } },
      socket: { status: 200, report: "method=GET;" },
    },
    {
      layer: "method-override",
      does: "makes the method the form's, and leaves the form to the app",
      layers: () => [all.methodOverride()],
      request: { method: "POST", headers: [form], body: Buffer.from("_method=DELETE&a=1") },
      expected: { status: 200, report: "method=DELETE;seen=-;trace=;body=_method=DELETE&a=1" },
      socket: { status: 200, report: "method=GET;" },
    },
    {
      layer: "etag",
      does: "tags an answer by its bytes",
      layers: () => [all.etag({ streams: true })],
      expected: { status: 200, headers: { etag: /^W?\/?"/ } },
      socket: { status: 200 },
    },
    {
      layer: "conditional-get",
      does: "answers 304 to who has it",
      layers: () => [
        all.conditionalGet(),
        layer({ name: "tag", onResponse: (a) => ({ ...a, headers: a.headers.with("ETag", '"1"') }) }),
      ],
      request: { headers: [["If-None-Match", '"1"']] },
      expected: { status: 304, headers: { etag: '"1"' } },
      socket: { status: 200 },
      page: { status: 426 },
    },
    {
      layer: "compress",
      does: "compresses",
      layers: () => [all.compress({ minBytes: 0, codings: ["gzip"] })],
      request: {
        headers: [
          ["Accept-Encoding", "gzip"],
          ["X-Seen", "x".repeat(2_000)],
        ],
      },
      expected: { status: 200, headers: { "content-encoding": "gzip", vary: /Accept-Encoding/i } },
      socket: { status: 200 },
    },
    {
      layer: "decompress",
      does: "inflates for the app",
      layers: () => [all.decompress()],
      request: {
        method: "POST",
        headers: [
          ["Content-Encoding", "gzip"],
          ["Content-Type", "text/plain"],
        ],
        body: gzipSync("plain"),
      },
      expected: { status: 200, report: "method=POST;seen=-;trace=;body=plain" },
      socket: { status: 200 },
    },
    {
      layer: "serve-static",
      does: "answers with a file",
      layers: () => [all.serveStatic({ root: folder })],
      target: "/page.txt",
      expected: { status: 200, headers: { "content-type": /^text\/plain/, "content-length": "5" } },
      socket: { status: 200, report: "user=-;" },
      page: { status: 200, headers: { "content-length": "5" } },
    },
    {
      layer: "server-timing",
      does: "tells the time",
      layers: () => [all.serverTiming()],
      expected: { status: 200, headers: { "server-timing": /^app;dur=/ } },
      socket: { status: 200 },
    },
    {
      layer: "form-data",
      does: "reads a form before the app",
      layers: () => [
        held,
        formData({ load: "eager" }),
        marks("touch", (r) => (formOf(r).isForm ? (formOf(r).form.fields.get("a") ?? "") : "no")),
      ],
      request: {
        method: "POST",
        headers: [["Content-Type", "multipart/form-data; boundary=b"]],
        body: Buffer.from(MULTIPART),
      },
      expected: { status: 200, report: "seen=1;" },
      socket: { status: 200 },
    },
  ];
}
