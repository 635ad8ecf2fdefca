// The repository that the portal serves: a bare one with a first commit, made once.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const IDENTITY = {
  GIT_AUTHOR_NAME: "gw",
  GIT_AUTHOR_EMAIL: "gw@localhost",
  GIT_COMMITTER_NAME: "gw",
  GIT_COMMITTER_EMAIL: "gw@localhost",
};

/** Makes `demo.git` below `root` unless it is there; `false` if git is not on the machine. */
export function makeDemoRepository(root: string): boolean {
  if (!hasGit()) return false;
  const bare = join(root, "demo.git");
  if (existsSync(bare)) return true;
  const work = join(root, ".making");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  writeFileSync(
    join(work, "README.md"),
    "# demo\n\nServed by `git http-backend`, a CGI program, behind the portal's login.\n",
  );
  const git = (...args: string[]): void => {
    execFileSync("git", args, { cwd: work, stdio: "ignore", env: { PATH: process.env.PATH, HOME: work, ...IDENTITY } });
  };
  git("init", "--quiet", "--initial-branch=main");
  git("add", "README.md");
  git("commit", "--quiet", "-m", "The first commit");
  git("clone", "--quiet", "--bare", work, join(work, "bare.git"));
  renameSync(join(work, "bare.git"), bare);
  rmSync(work, { recursive: true, force: true });
  return true;
}

function hasGit(): boolean {
  try {
    execFileSync("git", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
