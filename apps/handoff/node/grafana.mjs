// Stands for Grafana: the documented rules of its [auth.proxy], and nothing else of it.
import { createServer } from "node:http";

const settings = {
  header_name: "X-WEBAUTH-USER",
  whitelist: ["127.0.0.1"],
  headers: { Groups: "X-WEBAUTH-GROUPS", Email: "X-WEBAUTH-EMAIL" },
  sub_path: "/grafana",
};

const server = createServer((request, response) => {
  const field = (name) => Buffer.from(request.headers[name.toLowerCase()] ?? "", "latin1").toString("utf8");
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  if (!request.url.startsWith(`${settings.sub_path}/`)) return response.writeHead(404).end("serve_from_sub_path\n");
  if (!settings.whitelist.includes(request.socket.remoteAddress)) return response.writeHead(407).end("whitelist\n");
  const user = field(settings.header_name);
  if (user === "") return response.writeHead(302, { Location: `${settings.sub_path}/login` }).end();
  const [groups, mail] = [settings.headers.Groups, settings.headers.Email].map(field);
  const lines = [`user=${user}`, "type=", `groups=${groups}`, `mail=${mail}`, "theme=", "--"];
  response.end([...lines, JSON.stringify(request.rawHeaders)].join("\n"));
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
