// From an AsyncAPI document: its topics, and what a record without headers is on each.
import { readFileSync } from "node:fs";

interface AsyncApi {
  channels: Record<string, { address: string; messages?: Record<string, unknown> }>;
  components: { messages: Record<string, { headers: { required: string[] } }> };
}

/** By topic, the type that needs no `ce_type`; undefined where every record has to name its own. */
export function bareTypes(file: string): Map<string, string | undefined> {
  const { channels, components } = JSON.parse(readFileSync(file, "utf8")) as AsyncApi;
  const needsNone = (type: string) => !components.messages[type]?.headers.required.includes("ce_type");
  return new Map(
    Object.values(channels).flatMap(({ address, messages }) =>
      messages ? [[address, Object.keys(messages).find(needsNone)]] : [],
    ),
  );
}
