import { describe, expect, test } from "vitest";
import { COMMANDS } from "./commands/table.ts";
import { flagOf } from "./config/option.ts";
import { OPTIONS, optionsOf } from "./config/options.ts";
import { commandHelp, overview } from "./help.ts";

test("gw --help fits a terminal", () => {
  expect(overview(COMMANDS)).toMatchInlineSnapshot(`
    "gw, the application gateway: any app, every gateway interface, one pipeline

    Usage:
      gw <app>                         serve it; as a CGI or FastCGI program when a web server started us so
      gw serve [app]                   HTTP server
      gw dev [app]                     HTTP server with reload on change, lint and error pages
      gw fastcgi [app]                 FastCGI responder, authorizer or filter behind nginx, Apache, lighttpd or Caddy
      gw cgi [app]                     answer one request as a CGI program
      gw fetch <path> [app]            one request to the app, without a socket
      gw check [app]                   load everything, print the pipeline, lint one request, serve nothing
      gw config [app]                  print the configuration in effect, and where each value came from
      gw routes [app]                  print which app answers where
      gw explain <method> <url> [app]  print why a request goes where it goes, without asking the app
      gw ctl <what> [value]            ask or steer a running gateway: status, reload, drain /app, workers 4, …
      gw passwd <file> <user>          set a user's password in an htpasswd file, or take the user out

    An app is one of:
      file.ts[:name]           an App, a handler, anything with fetch(), a WSGI- or ASGI-shaped function
      cgi:./program            one CGI program
      cgi-bin:./directory      a directory of CGI programs
      git:./repositories       git smart HTTP for a directory of repositories
      static:./directory       the files of a directory
      fastcgi:unix:/path.sock  an app behind a FastCGI socket: unix:/path or host:port
      fastcgi:./program        a FastCGI program, started and watched: a path, or a name on PATH
      php:./docroot            a PHP site; starts php-fpm or php-cgi unless ?socket= says where one listens
      wsgi:module:app          a Python WSGI app (Flask, Django)
      asgi:module:app          a Python ASGI app (FastAPI, Starlette)
      python:module:app        either of them: the app is imported to find out
      http://host:port         an app behind another HTTP server; userHeader= names the field that tells it the user
      https://host:port        the same over TLS; its certificate is verified
      (none)                   what gw.config.ts names

    \`gw serve --help\` lists the flags. Flag > GW_… variable > configuration file.
    "
  `);
});

describe("commandHelp", () => {
  const helpOf = (name: string) =>
    commandHelp(COMMANDS.find((command) => command.name === name) as (typeof COMMANDS)[0]);

  test.each(COMMANDS.map(({ name }) => name))("lists every flag that gw %s takes, and no other", (name) => {
    const listed = [...helpOf(name).matchAll(/^ {2}(?:-\w, | {4})--(?:\[no-\])?([\w-]+)/gm)].map(
      ([, flag]) => `--${flag}`,
    );
    expect(listed).toEqual(optionsOf(name).map(flagOf));
  });

  test("says what a flag takes, what holds without it and what is allowed", () => {
    const help = helpOf("serve");
    expect(help).toMatch(/^ {2}-p, --port PORT +port to bind; 0: any free one \(8000\)$/m);
    expect(help).toMatch(/^ {6}--log-level LEVEL +least level to log \(trace, debug, .*silent; info; /m);
    expect(help).toMatch(/^ {2}-b, --bind ADDR +.*\(repeatable; 127\.0\.0\.1:8000\)$/m);
    expect(help).toMatch(/^ {6}--\[no-\]h2c /m);
    expect(helpOf("fetch")).toContain("-H, --header 'NAME: VALUE'");
    expect(helpOf("fetch")).not.toContain("--bind");
  });
});

test("no two options share a flag, a short flag or a key", () => {
  const shorts = OPTIONS.flatMap(({ short }) => (short === undefined ? [] : [short]));
  expect(new Set(shorts).size).toBe(shorts.length);
  expect(shorts).not.toContain("h");
  expect(new Set(OPTIONS.map(flagOf)).size).toBe(OPTIONS.length);
});
