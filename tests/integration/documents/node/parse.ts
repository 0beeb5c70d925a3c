// What the official parser says of each AsyncAPI document named on the command line, as one JSON object.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "information", "hint"];
const parser = new Parser();
const told: Record<string, object> = {};

for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await parser.parse(readFileSync(file, "utf8"));
  told[file] = {
    accepted: document !== undefined,
    channels: document?.channels().all().map((channel) => channel.address()) ?? [],
    servers:
      document?.servers().all().map((server) => ({
        host: server.host(),
        protocol: server.protocol(),
        security: server.security().flatMap((needed) => needed.all().map((one) => one.scheme().type())),
      })) ?? [],
    diagnostics: diagnostics.map(({ severity, code, path, message }) => ({
      severity: SEVERITIES[severity],
      code,
      path: path.join("."),
      message,
    })),
  };
}
console.log(JSON.stringify(told));
