// What phpFpm() can be told.
import type { FileOptions } from "@gw/core/node";
import type { FastcgiClientOptions } from "../client/options.ts";

/** PHP processes of our own. */
export interface PhpStartOptions {
  /** PHP-FPM, or php-cgi. @default php-fpm or php-fpm8.x where there is one, else php-cgi; on PATH and in the sbin directories */
  command?: string;
  /** How PHP-FPM keeps children; not for php-cgi. Connections are kept with "static" only: with the others a kept one may hold up the next. @default "static" */
  pm?: "static" | "dynamic" | "ondemand";
  /** Children, that is requests at once. @default 4 */
  maxChildren?: number;
  /** Requests after which a child is replaced; 0: never. @default 500 */
  maxRequests?: number;
  /** User of the children, where we are root. @default "www-data" */
  user?: string;
  /** The whole environment of PHP besides PATH. @default {} */
  env?: Readonly<Record<string, string>>;
  /** Settings of PHP that scripts cannot change: `{ memory_limit: "256M" }`. @default {} */
  ini?: Readonly<Record<string, string>>;
}

/** Inputs of `phpFpm`. */
export interface PhpFpmOptions extends FastcgiClientOptions {
  /** Directory with the scripts and static files of the site. */
  root: string;
  /** With `start`, all children are kept where that is safe; with `socket`, 0: set it for `pm = static` only. @default see there */
  maxIdleConnections?: number;
  /** Where PHP-FPM listens: `"unix:/run/php/php-fpm.sock"`, `"127.0.0.1:9000"`; several: the least busy. This or `start`. */
  socket?: string | readonly string[];
  /** Starts PHP and keeps it running. @default false */
  start?: boolean | PhpStartOptions;
  /** Files that stand for a directory, in order. @default ["index.php", "index.html"] */
  index?: readonly string[];
  /**
   * What a request may be for, in order: `"$path"` a file or script, `"$path/"` a directory by its `index`, `"/index.php"` a
   * script whatever the path (a front controller: WordPress, Laravel, Symfony), `"=404"`. @default ["$path", "$path/", "=404"]
   */
  tryFiles?: readonly string[];
  /** Ends of names that are scripts. What follows a script in the path is PATH_INFO. @default [".php"] */
  split?: readonly string[];
  /**
   * Folders in which no script runs, as decoded paths below the mount, for uploads: `["/uploads/"]`. Scripts there are 404,
   * whatever `tryFiles` says; other files are sent. @default none
   */
  noScripts?: readonly string[];
  /** Variables that scripts get besides the request's; text. @default none */
  variables?: Readonly<Record<string, string>>;
  /** How static files are sent. */
  files?: FileOptions;
}
