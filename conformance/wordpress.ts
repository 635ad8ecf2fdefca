// WordPress of Debian with a MariaDB of its own, as `gw serve php:` serves it.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, chown, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const command = join(import.meta.dirname, "../packages/cli/bin/gw.js");

/** What has to be there: packages `wordpress-theme-twentytwentythree`, `mariadb-server`, `php-fpm`, `php-mysql`. */
export const wordpressNeeds: readonly string[] = [
  "/usr/share/wordpress/wp-content/themes/twentytwentythree",
  "mariadbd",
  "mariadb-install-db",
];

/** A WordPress that nobody has installed yet. */
export interface WordPress {
  readonly url: string;
  /** Where its files are. */
  readonly root: string;
  /** What the gateway wrote to standard error. */
  words(): string;
  close(): Promise<void>;
}

/** Copies WordPress, starts an empty database and the gateway. */
export async function openWordPress(): Promise<WordPress> {
  const folder = await mkdtemp(join(tmpdir(), "gw-wordpress-"));
  await chmod(folder, 0o755);
  const root = join(folder, "www");
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const child of children.reverse()) await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // Debian's package links to fonts and scripts elsewhere; what leads out of the root is not served.
    const [socket] = await Promise.all([
      startDatabase(folder, children),
      cp("/usr/share/wordpress", root, { recursive: true, dereference: true }),
    ]);
    await writeConfiguration(root, socket);
    const gateway = await startGateway(folder, children);
    return { ...gateway, root, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startDatabase(folder: string, children: ChildProcess[]): Promise<string> {
  const data = join(folder, "data");
  const socket = join(folder, "db.sock");
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  await run("mariadb-install-db", [`--datadir=${data}`, "--skip-test-db", ...user]);
  const log = join(folder, "db.log");
  const fixed = ["--no-defaults", "--skip-networking", "--skip-grant-tables", `--pid-file=${folder}/db.pid`];
  const small = ["--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"];
  const paths = [`--datadir=${data}`, `--socket=${socket}`, `--log-error=${log}`];
  const database = spawn("mariadbd", [...fixed, ...small, ...paths, ...user], { stdio: "ignore" });
  children.push(database);
  while (!(await isThere(socket))) {
    if (database.exitCode !== null) throw new Error(`mariadbd ended: ${await readFile(log, "utf8")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await run("mariadb", ["--no-defaults", `--socket=${socket}`, "-e", "CREATE DATABASE wordpress"]);
  return socket;
}

async function writeConfiguration(root: string, socket: string): Promise<void> {
  const settings = {
    DB_NAME: "wordpress",
    DB_USER: "root",
    DB_PASSWORD: "",
    DB_HOST: `localhost:${socket}`,
    DB_CHARSET: "utf8mb4",
    AUTH_KEY: "1",
    SECURE_AUTH_KEY: "2",
    LOGGED_IN_KEY: "3",
    NONCE_KEY: "4",
    FS_METHOD: "direct",
  };
  // Nothing of the test goes out into the world: no updates, no news, no pictures of users.
  const flags = ["AUTOMATIC_UPDATER_DISABLED", "DISABLE_WP_CRON", "WP_HTTP_BLOCK_EXTERNAL"];
  const lines = [
    ...Object.entries(settings).map(([name, value]) => `define('${name}', '${value}');`),
    ...flags.map((name) => `define('${name}', true);`),
    "$table_prefix = 'wp_';",
    "defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');",
    "require_once ABSPATH . 'wp-settings.php';",
  ];
  await rm(join(root, "wp-config.php"));
  await writeFile(join(root, "wp-config.php"), `<?php\n${lines.join("\n")}\n`);
  const uploads = join(root, "wp-content/uploads");
  await mkdir(uploads);
  if (process.getuid?.() === 0) {
    const { stdout } = await run("id", ["-u", "www-data"]);
    await chown(uploads, Number(stdout), Number(stdout));
  }
}

async function startGateway(folder: string, children: ChildProcess[]): Promise<Pick<WordPress, "url" | "words">> {
  const site = "php:./www?tryFiles=$path&tryFiles=$path/&tryFiles=/index.php";
  const gateway = spawn(process.execPath, [command, "serve", site, "-p", "0", "--no-access-log"], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, NO_COLOR: "1" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  children.push(gateway);
  let words = "";
  gateway.stderr.on("data", (chunk: Buffer) => {
    words = `${words}${chunk}`.slice(-20_000);
  });
  for (;;) {
    const url = /gw: listening on (\S+)/.exec(words)?.[1];
    if (url !== undefined) return { url, words: () => words };
    if (gateway.exitCode !== null) throw new Error(`gw ended: ${words}`);
    await Promise.race([once(gateway.stderr, "data"), once(gateway, "exit")]);
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const late = setTimeout(() => child.kill("SIGKILL"), 8_000);
  child.kill("SIGTERM");
  await once(child, "exit");
  clearTimeout(late);
}
