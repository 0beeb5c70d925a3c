// JSON as it stands in a record, with nothing mended on the way.
const WHOLE = /^-?\d+$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };

/** As JSON.parse, but an error for what is no UTF-8, where a Buffer's toString puts in other characters. */
export function parse(value: Uint8Array): unknown {
  return JSON.parse(utf8.decode(value), (name: string, inner: unknown) => {
    if (!name.isWellFormed() || (typeof inner === "string" && !inner.isWellFormed())) {
      throw new SyntaxError("half of a surrogate pair");
    }
    return inner;
  });
}

/** The same with a bigint for each whole number that a JavaScript number would round. */
export function parseExactly(value: Uint8Array): Json {
  return JSON.parse(utf8.decode(value), (_name: string, inner: Json, context?: { source?: string }) =>
    typeof inner === "number" && !Number.isSafeInteger(inner) && WHOLE.test(context?.source ?? "")
      ? BigInt(context!.source!)
      : inner,
  );
}
