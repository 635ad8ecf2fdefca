// Real WSGI programs behind the built command, as their users would run them.
import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { openPage, takePicture } from "@gw-private/browser";
import { requires } from "@gw-private/requires";
import { expect } from "vitest";
import { type Folder, folderWith, type Server, serving } from "./gw.ts";

/** Made by `.ci/run`; CONTRIBUTING.md says how by hand. */
const environment = join(import.meta.dirname, "../../../node_modules/.cache/python");
const python = join(environment, "bin/python");
const tutorial = join(environment, "sources/examples/tutorial/flaskr");
const run = promisify(execFile);

/** Runs a program in a folder; what it writes to stdout. */
async function ran(folder: Folder, program: string, ...words: string[]): Promise<string> {
  const env = { ...process.env, HOME: folder.path, HGRCPATH: "" };
  return (await run(program, words, { cwd: folder.path, env, timeout: 60_000 })).stdout;
}

const served = (folder: Folder, ...words: string[]): Promise<Server> =>
  serving(folder, ["serve", "-p", "0", "--python", python, ...words], { environment: { HOME: folder.path } });

requires("chromium", tutorial)(
  "Flaskr, the app of Flask's tutorial: register, log in, write, edit, log out",
  async () => {
    const folder = folderWith();
    cpSync(tutorial, join(folder.path, "flaskr"), { recursive: true });
    await ran(folder, python, "-m", "flask", "--app", "flaskr", "init-db");
    const server = await served(folder, "wsgi:flaskr:create_app()?workers=1");
    const { page } = await openPage();
    await page.goto(`${server.urls[0]}/auth/register`);
    for (const action of ["Register", "Log In"]) {
      await page.fill("#username", "ann");
      await page.fill("#password", "secret");
      await page.click(`input[value="${action}"]`);
    }
    await page.click("text=New");
    await page.fill("#title", "Grüße, WSGI");
    await page.fill("#body", "A post with <b>markup</b> that stays text.");
    await page.click('input[value="Save"]');
    expect(await page.textContent("article h1")).toBe("Grüße, WSGI");
    expect(await page.textContent("p.body")).toContain("<b>markup</b>");
    await takePicture(page, "flaskr");
    await page.click("text=Edit");
    await page.fill("#title", "Edited");
    await page.click('input[value="Save"]');
    expect(await page.textContent("article h1")).toBe("Edited");
    await page.click("text=Log Out");
    expect(await page.textContent("nav")).toContain("Register");
    const refused = await page.goto(`${server.urls[0]}/1/update`);
    expect(refused?.url()).toBe(`${server.urls[0]}/auth/login`);
    const style = await page.request.get(`${server.urls[0]}/static/style.css`);
    expect([style.status(), style.headers()["content-type"]]).toEqual([200, "text/css; charset=utf-8"]);
  },
  60_000,
);

const MODELS = `from django.db import models

class Note(models.Model):
    title = models.CharField(max_length=100)
    file = models.FileField(upload_to="files", blank=True)

    def __str__(self):
        return self.title
`;
const SETTINGS = `from .settings import *

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS += ["notes"]
STATIC_ROOT = BASE_DIR / "collected"
MEDIA_ROOT = BASE_DIR / "media"
`;
/** What one would call manage.py for, in one process. */
const SET_UP = `import os
os.environ["DJANGO_SETTINGS_MODULE"] = "site1.local"
import django
django.setup()
from django.core.management import call_command
call_command("makemigrations", "notes", verbosity=0)
call_command("migrate", verbosity=0)
call_command("collectstatic", "--noinput", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_superuser("ann", "", "correct horse")
`;

/** A Django project as django-admin makes it, with an app of its own, migrated, and its static files collected. */
async function djangoSite(): Promise<Folder> {
  const folder = folderWith();
  await ran(folder, python, "-m", "django", "startproject", "site1", ".");
  folder.write("site1/local.py", SETTINGS);
  folder.write("notes/__init__.py", "");
  folder.write("notes/models.py", MODELS);
  folder.write(
    "notes/admin.py",
    "from django.contrib import admin\nfrom .models import Note\n\nadmin.site.register(Note)\n",
  );
  await ran(folder, python, "-c", SET_UP);
  return folder;
}

requires("chromium", python)(
  "Django's admin: a migrated SQLite, static files beside it, login, a new object with an upload",
  async () => {
    const folder = await djangoSite();
    const app = "wsgi:site1.wsgi:application?workers=1&env.DJANGO_SETTINGS_MODULE=site1.local";
    const server = await served(folder, app, "--mount", "/static=static:./collected");
    const { page } = await openPage();
    const picture = async (name: string): Promise<void> => {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await takePicture(page, `django-${name}-${colorScheme}`);
      }
    };
    await page.goto(`${server.urls[0]}/admin/`);
    await picture("login");
    await page.fill("#id_username", "ann");
    await page.fill("#id_password", "correct horse");
    await page.click('input[type="submit"]');
    await page.click('a[href="/admin/notes/note/add/"]');
    await page.fill("#id_title", "A note with a file");
    const buffer = Buffer.alloc(3_000_000, "0123456789");
    await page.setInputFiles("#id_file", { name: "three.bin", mimeType: "application/octet-stream", buffer });
    await page.click('input[name="_save"]');
    expect(await page.textContent(".messagelist .success")).toContain("A note with a file");
    await picture("notes");
    expect(await ran(folder, "wc", "-c", "media/files/three.bin")).toMatch(/^3000000 /);
    await page.click('#logout-form button[type="submit"]');
    expect(await page.title()).toContain("Logged out");
  },
  60_000,
);

requires(
  "chromium",
  python,
  "htpasswd",
)("Radicale behind the gateway's login: calendars of each user, by REMOTE_USER", async () => {
  const folder = folderWith({
    "radicale.ini":
      "[auth]\ntype = remote_user\n[rights]\ntype = owner_only\n[storage]\nfilesystem_folder = ./collections\n",
  });
  for (const user of ["ann", "bob"])
    await ran(folder, "htpasswd", user === "ann" ? "-cbB" : "-bB", "users", user, user);
  const app = "wsgi:radicale:application?workers=1&env.RADICALE_CONFIG=radicale.ini";
  const server = await served(folder, app, "--use", "basic-auth?htpasswd=./users");
  const dav = async (user: string, method: string, path: string, body?: string): Promise<[number, string]> => {
    const headers = {
      Authorization: `Basic ${btoa(`${user}:${user}`)}`,
      "Remote-User": "ann", // nobody can say so himself
      Depth: "1",
      "Content-Type": method === "PUT" ? "text/calendar" : "application/xml",
    };
    const answer = await fetch(`${server.urls[0]}${path}`, { method, headers, ...(body !== undefined && { body }) });
    return [answer.status, await answer.text()];
  };
  const calendar =
    '<C:mkcalendar xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:set><D:prop><D:displayname>안녕</D:displayname></D:prop></D:set></C:mkcalendar>';
  const event =
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//gw//test//EN\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260102T100000Z\r\nSUMMARY:Coffee\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
  const query =
    '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:"><D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>';
  expect((await fetch(`${server.urls[0]}/ann/`)).status).toBe(401);
  expect((await dav("ann", "MKCALENDAR", "/ann/work/", calendar))[0]).toBe(201);
  expect((await dav("ann", "PUT", "/ann/work/one.ics", event))[0]).toBe(201);
  const [status, listed] = await dav("ann", "PROPFIND", "/ann/");
  expect([status, listed.includes("/ann/work/")]).toEqual([207, true]);
  expect((await dav("ann", "REPORT", "/ann/work/", query))[1]).toContain("SUMMARY:Coffee");
  expect((await dav("bob", "GET", "/ann/work/one.ics"))[0]).toBe(403);
  expect((await dav("ann", "DELETE", "/ann/work/one.ics"))[0]).toBe(200);
  expect((await dav("ann", "GET", "/ann/work/one.ics"))[0]).toBe(404);
});

requires("hg")("hgweb, Mercurial's own WSGI program: clone, push, and its pages", async () => {
  const folder = folderWith({
    "hgsite.py": "from mercurial.hgweb import hgweb\n\napplication = hgweb(b'origin')\n",
    "origin/.hg/hgrc": "[web]\nallow_push = *\npush_ssl = false\n",
  });
  const hg = (...words: string[]): Promise<string> => ran(folder, "hg", "--config", "ui.username=ann", ...words);
  await hg("init", "fresh");
  cpSync(join(folder.path, "fresh/.hg"), join(folder.path, "origin/.hg"), { recursive: true });
  folder.write("origin/text", "one\n");
  await hg("-R", "origin", "commit", "-A", "-m", "first");
  const words = ["serve", "-p", "0", "wsgi:hgsite:application?workers=1&python=/usr/bin/python3", "--root-path", "/hg"];
  const server = await serving(folder, words, { environment: { HOME: folder.path } });
  await hg("clone", `${server.urls[0]}`, "copy");
  folder.write("copy/text", "two\n");
  folder.write("copy/large", "0123456789abcdef\n".repeat(100_000));
  await hg("-R", "copy", "commit", "-A", "-m", "second");
  await hg("-R", "copy", "push");
  expect(await hg("-R", "origin", "log", "--template", "{rev} {desc}\\n")).toBe("1 second\n0 first\n");
  const page = await (await fetch(`${server.urls[0]}/file/tip`)).text();
  expect(page).toContain('href="/hg/file/tip/large"');
});
