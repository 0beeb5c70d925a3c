// Every record that stands on some topics at this moment.
import { randomUUID } from "node:crypto";
import { Consumer, ListOffsetTimestamps, MessagesStreamModes, stringDeserializer } from "@platformatic/kafka";

const deserializers = { key: stringDeserializer, headerKey: stringDeserializer, headerValue: stringDeserializer };
type Reader = Consumer<string, Buffer, string, string>;

export async function* readToTheEnd(bootstrap: string, topics: string[]) {
  const consumer: Reader = new Consumer({
    clientId: "typescript",
    groupId: `typescript-${randomUUID()}`,
    bootstrapBrokers: bootstrap.split(","),
    deserializers,
  });
  try {
    const awaited = await lastOffsets(consumer, topics);
    if (awaited.size === 0) return;
    const stream = await consumer.consume({
      topics,
      mode: MessagesStreamModes.EARLIEST,
      autocommit: false,
      maxWaitTime: 100,
    });
    for await (const record of stream) {
      yield record;
      const place = `${record.topic}/${record.partition}`;
      if (record.offset >= (awaited.get(place) ?? record.offset)) awaited.delete(place);
      if (awaited.size === 0) return;
    }
  } finally {
    await consumer.close(true);
  }
}

/** Of each partition that has a record. */
async function lastOffsets(consumer: Reader, topics: string[]): Promise<Map<string, bigint>> {
  const ends = await consumer.listOffsets({ topics, timestamp: ListOffsetTimestamps.LATEST });
  const starts = await consumer.listOffsets({ topics, timestamp: ListOffsetTimestamps.EARLIEST });
  const found = new Map<string, bigint>();
  for (const [topic, offsets] of ends) {
    offsets.forEach((end, partition) => {
      if (end > (starts.get(topic)?.[partition] ?? 0n)) found.set(`${topic}/${partition}`, end - 1n);
    });
  }
  return found;
}
