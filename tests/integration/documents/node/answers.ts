// What a person is told of a result: written against types that are made from the schemas.
import type { ValidateFunction } from "ajv/dist/2020.js";
import type { PredictionCompleted } from "./generated/ekiben.prediction.completed.v1.d.ts";
import type { PredictionFailed } from "./generated/ekiben.prediction.failed.v1.d.ts";
import type { Validators } from "./judging.ts";

export function inWords(type: string, data: unknown, validators: Validators): string | undefined {
  const validate: ValidateFunction | undefined = validators.get(type);
  if (type === "ekiben.prediction.completed.v1" && isA<PredictionCompleted>(validate, data)) {
    return `${data.entity_id}: ${data.label ?? data.prediction}, confidence ${data.confidence}`;
  }
  if (type === "ekiben.prediction.failed.v1" && isA<PredictionFailed>(validate, data)) {
    return `${data.entity_id ?? "?"}: ${data.code}, ${data.retryable ? "may be tried again" : "final"}`;
  }
  return undefined;
}

function isA<T>(validate: ValidateFunction | undefined, data: unknown): data is T {
  return validate?.(data) === true;
}
