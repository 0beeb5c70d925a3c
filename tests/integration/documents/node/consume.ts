// node consume.ts BOOTSTRAP ASYNCAPI SCHEMAS: read every topic of the document to its end, hold each record
// against the schema of its type, and tell what was found as one JSON array.
import { inWords } from "./answers.ts";
import { faultsOf, validatorsOf, type Fault } from "./judging.ts";
import { parse, parseExactly } from "./parsing.ts";
import { readToTheEnd } from "./reading.ts";
import { bareTypes } from "./topics.ts";

const [bootstrap, asyncapi, schemas] = process.argv.slice(2) as [string, string, string];
const topics = bareTypes(asyncapi);
const validators = validatorsOf(schemas);

function judge(type: string, value: Buffer | null | undefined): { faults: Fault[]; words?: string; data?: unknown } {
  try {
    const data = parse(value ?? Buffer.of());
    const faults = faultsOf(validators.get(type), data);
    return faults.length ? { faults } : { faults, words: inWords(type, data, validators), data: parseExactly(value!) };
  } catch (error) {
    return { faults: [{ field: "", message: `no JSON: ${(error as Error).message}` }] };
  }
}

const told: object[] = [];
for await (const { topic, key, value, headers } of readToTheEnd(bootstrap, [...topics.keys()])) {
  const type = headers.get("ce_type") ?? topics.get(topic) ?? "";
  told.push({ topic, key, type, id: headers.get("ce_id"), ...judge(type, value) });
}
const bigintsAsText = (_name: string, value: unknown) => (typeof value === "bigint" ? `${value}n` : value);
console.log(JSON.stringify(told, bigintsAsText));
