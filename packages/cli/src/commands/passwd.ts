// `gw passwd FILE USER`: sets a user's password in an htpasswd file, or takes the user out.
import { resolve } from "node:path";
import { hashPassword } from "@gw/middleware/passwords";
import type { Invocation } from "../invocation.ts";
import { readNewPassword } from "../passwd/read-password.ts";
import { readIfThere, replaceFile } from "../passwd/replace-file.ts";
import { checkUserName, withoutUser, withUser } from "../passwd/user-lines.ts";
import { StartError, UsageError } from "../usage-error.ts";

type Algorithm = "bcrypt" | "argon2id" | "scrypt";

/** The password is never an argument, which others could see, and never shown. */
export async function run({ folder, operands, settings, stdout, stderr }: Invocation): Promise<number> {
  const [name, user] = operands as [string, string];
  const file = resolve(folder, name);
  checkUserName(user);
  const [isNewFile, isDeletion] = [settings.isOn("create") ?? false, settings.isOn("delete") ?? false];
  if (isNewFile && isDeletion) throw new UsageError("passwd: --create and --delete exclude each other");
  checkFile(file, name, isNewFile);
  if (isDeletion) await remove(file, name, user);
  else {
    const password = await readNewPassword((text) => stderr.write(text));
    const hash = await hashed(password, (settings.text("algorithm") ?? "bcrypt") as Algorithm);
    const isNew = await put(file, user, hash);
    stdout.write(`${isNew ? "added" : "changed"} ${user} in ${name}\n`);
    return 0;
  }
  stdout.write(`removed ${user} from ${name}\n`);
  return 0;
}

/** Looked at before a password is asked for; and once more when it is written. */
function checkFile(file: string, name: string, isNewFile: boolean): void {
  const isThere = readIfThere(file) !== null;
  if (isThere && isNewFile) throw new StartError(`${name} is there already; without --create it is added to`);
  if (!isThere && !isNewFile) throw new StartError(`${name} is not there; --create makes it`);
}

async function put(file: string, user: string, hash: string): Promise<boolean> {
  let wasNew = false;
  await replaceFile(file, (before) => {
    const { text, isNew } = withUser(before ?? "", user, hash);
    wasNew = isNew;
    return text;
  });
  return wasNew;
}

async function remove(file: string, name: string, user: string): Promise<void> {
  await replaceFile(file, (before) => {
    const after = withoutUser(before ?? "", user);
    if (after === null) throw new StartError(`${user} is not in ${name}`);
    return after;
  });
}

async function hashed(password: string, algorithm: Algorithm): Promise<string> {
  try {
    return await hashPassword(password, { algorithm });
  } catch (error) {
    throw new StartError(`${(error as Error).message}; --algorithm names another one`, { cause: error });
  }
}
