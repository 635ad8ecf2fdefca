// Content types of files by their extension.

const TEXT = "; charset=utf-8";

// Registered types (IANA, RFC 9239, RFC 9512 and others) of what is commonly served. Text is taken to be UTF-8.
const TYPES: Readonly<Record<string, string>> = {
  "7z": "application/x-7z-compressed",
  aac: "audio/aac",
  apng: "image/apng",
  atom: "application/atom+xml",
  avi: "video/x-msvideo",
  avif: "image/avif",
  bin: "application/octet-stream",
  bmp: "image/bmp",
  br: "application/x-brotli",
  bz2: "application/x-bzip2",
  cjs: `text/javascript${TEXT}`,
  css: `text/css${TEXT}`,
  csv: `text/csv${TEXT}`,
  deb: "application/vnd.debian.binary-package",
  dmg: "application/x-apple-diskimage",
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  eot: "application/vnd.ms-fontobject",
  epub: "application/epub+zip",
  exe: "application/vnd.microsoft.portable-executable",
  flac: "audio/flac",
  geojson: "application/geo+json",
  gif: "image/gif",
  glb: "model/gltf-binary",
  gltf: "model/gltf+json",
  gz: "application/gzip",
  heic: "image/heic",
  htm: `text/html${TEXT}`,
  html: `text/html${TEXT}`,
  ico: "image/vnd.microsoft.icon",
  ics: `text/calendar${TEXT}`,
  iso: "application/x-iso9660-image",
  jar: "application/java-archive",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: `text/javascript${TEXT}`,
  json: "application/json",
  json5: "application/json5",
  jsonld: "application/ld+json",
  jxl: "image/jxl",
  log: `text/plain${TEXT}`,
  m3u8: "application/vnd.apple.mpegurl",
  m4a: "audio/mp4",
  m4v: "video/mp4",
  map: "application/json",
  markdown: `text/markdown${TEXT}`,
  md: `text/markdown${TEXT}`,
  mid: "audio/midi",
  mjs: `text/javascript${TEXT}`,
  mkv: "video/matroska",
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  mpd: "application/dash+xml",
  mpeg: "video/mpeg",
  odp: "application/vnd.oasis.opendocument.presentation",
  ods: "application/vnd.oasis.opendocument.spreadsheet",
  odt: "application/vnd.oasis.opendocument.text",
  oga: "audio/ogg",
  ogg: "audio/ogg",
  ogv: "video/ogg",
  opus: "audio/ogg",
  otf: "font/otf",
  pdf: "application/pdf",
  png: "image/png",
  ppt: "application/vnd.ms-powerpoint",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  ps: "application/postscript",
  rpm: "application/x-rpm",
  rss: "application/rss+xml",
  rtf: "application/rtf",
  sh: `text/x-sh${TEXT}`,
  svg: "image/svg+xml",
  tar: "application/x-tar",
  text: `text/plain${TEXT}`,
  tgz: "application/gzip",
  tif: "image/tiff",
  tiff: "image/tiff",
  toml: "application/toml",
  ts: "video/mp2t",
  tsv: `text/tab-separated-values${TEXT}`,
  ttf: "font/ttf",
  txt: `text/plain${TEXT}`,
  vcf: `text/vcard${TEXT}`,
  vtt: `text/vtt${TEXT}`,
  wasm: "application/wasm",
  wav: "audio/wav",
  weba: "audio/webm",
  webm: "video/webm",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff: "font/woff",
  woff2: "font/woff2",
  xhtml: "application/xhtml+xml",
  xls: "application/vnd.ms-excel",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  xml: "application/xml",
  xsl: "application/xslt+xml",
  xz: "application/x-xz",
  yaml: "application/yaml",
  yml: "application/yaml",
  zip: "application/zip",
  zst: "application/zstd",
};

const UNKNOWN = "application/octet-stream";

/**
 * The content type of a file by the extension of its name.
 *
 * @param own types by extension in lower case, before the built-in ones; `""` is for names without one
 */
export function contentTypeOf(file: string, own: Readonly<Record<string, string>> = {}): string {
  const name = file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
  return ownValue(own, extension) ?? ownValue(TYPES, extension) ?? UNKNOWN;
}

/** `constructor` and its like are no extensions. */
function ownValue(types: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(types, key) ? types[key] : undefined;
}

/** Whether compression is worth its while: text, and the formats that are text in other clothes. */
export function isCompressible(type: string): boolean {
  return /^text\/|[/+](?:json5?|xml|yaml|toml|wasm|javascript|manifest\+json)\b|^font\/[ot]tf|^image\/(?:bmp|vnd\.microsoft\.icon)/.test(
    type,
  );
}
