// From an AsyncAPI document: which topics there are, and which types of events each carries.
import { readFileSync } from "node:fs";

interface AsyncApi {
  channels: Record<string, { address: string; messages?: Record<string, unknown> }>;
}

export function typesByTopic(file: string): Map<string, string[]> {
  const { channels } = JSON.parse(readFileSync(file, "utf8")) as AsyncApi;
  const carrying = Object.values(channels).filter((channel) => channel.messages);
  return new Map(carrying.map(({ address, messages }) => [address, Object.keys(messages ?? {})]));
}
