// Whether data are what the JSON Schema of their type says: Ajv in strict mode, with formats asserted.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";

export type Validators = Map<string, ValidateFunction>;

export interface Fault {
  field: string;
  message: string;
}

/** One for each type that has a schema in the folder, TYPE.json. */
export function validatorsOf(folder: string): Validators {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  ajv.addVocabulary(["x-sensitive"]);
  formats.default(ajv);
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  const schemas = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return new Map(schemas.map((name) => [name.slice(0, -".json".length), ajv.compile(read(name))]));
}

export function faultsOf(validate: ValidateFunction | undefined, data: unknown): Fault[] {
  if (!validate) return [{ field: "ce_type", message: "no schema is called like that" }];
  return validate(data) ? [] : (validate.errors ?? []).map(fault);
}

function fault({ instancePath, keyword, params, message = "" }: ErrorObject): Fault {
  const missing = keyword === "required" ? [params.missingProperty] : [];
  return { field: [...instancePath.split("/").slice(1), ...missing].join("."), message };
}
