// How fast variables are decoded: pairs per second of requests as nginx sends them.
//
// `node fastcgi-params.ts [rounds]`
import { ParamsDecoder, writeParams } from "@gw/fastcgi/codec";

const rounds = Number(process.argv[2] ?? 25);
const REQUESTS = 20_000;
const pairs: readonly (readonly [string, string])[] = Object.entries({
  QUERY_STRING: "page=2&sort=name",
  REQUEST_METHOD: "GET",
  CONTENT_TYPE: "",
  CONTENT_LENGTH: "",
  SCRIPT_FILENAME: "/srv/www/site/index.php",
  SCRIPT_NAME: "/index.php",
  REQUEST_URI: "/articles?page=2&sort=name",
  DOCUMENT_URI: "/index.php",
  DOCUMENT_ROOT: "/srv/www/site",
  SERVER_PROTOCOL: "HTTP/1.1",
  REQUEST_SCHEME: "https",
  HTTPS: "on",
  GATEWAY_INTERFACE: "CGI/1.1",
  SERVER_SOFTWARE: "nginx/1.22.1",
  REMOTE_ADDR: "192.0.2.7",
  REMOTE_PORT: "51514",
  SERVER_ADDR: "192.0.2.1",
  SERVER_PORT: "443",
  SERVER_NAME: "www.example.org",
  REDIRECT_STATUS: "200",
  HTTP_HOST: "www.example.org",
  HTTP_USER_AGENT: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  HTTP_ACCEPT: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  HTTP_ACCEPT_LANGUAGE: "en-GB,en;q=0.5",
  HTTP_ACCEPT_ENCODING: "gzip, deflate, br",
  HTTP_COOKIE: "session=7f2c0e6d5b9a4d6c8e1f; theme=dark",
});
const stream = writeParams(pairs);
const decoder = new ParamsDecoder();

const seconds: number[] = [];
for (let round = -3; round < rounds; round++) {
  const begun = process.cpuUsage();
  let found = 0;
  for (let at = 0; at < REQUESTS; at++) found += decoder.decode(stream).size;
  const { user, system } = process.cpuUsage(begun);
  if (found !== REQUESTS * pairs.length) throw new Error(`decoded ${found} pairs`);
  if (round >= 0) seconds.push((user + system) / 1e6);
}
seconds.sort((one, other) => one - other);
const rate = (value: number): string => ((REQUESTS * pairs.length) / value / 1e6).toFixed(1);
process.stdout.write(`Node ${process.versions.node}: ${pairs.length} variables, ${stream.length} bytes\n`);
process.stdout.write(
  `${rate(seconds[0] as number)} million variables per second of processor time at best, ${rate(seconds[seconds.length >> 1] as number)} in the middle\n`,
);
