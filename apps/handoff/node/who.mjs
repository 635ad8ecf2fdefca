// A server of its own: it knows its users from the fields that the gateway writes, and listens where nobody else is.
import { createServer } from "node:http";

const told = (request, name) => Buffer.from(request.headers[name] ?? "", "latin1").toString("utf8");

const server = createServer((request, response) => {
  const names = ["x-remote-user", "x-auth-type", "x-remote-groups", "x-remote-mail", "x-theme"];
  const [user, type, groups, mail, theme] = names.map((name) => told(request, name));
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  const lines = [`user=${user}`, `type=${type}`, `groups=${groups}`, `mail=${mail}`, `theme=${theme}`, "--"];
  response.end([...lines, JSON.stringify(request.rawHeaders)].join("\n"));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
