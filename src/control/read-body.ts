import type { IncomingMessage } from 'node:http';

/** Largest body that is read, bytes. */
export const MAX_BODY = 64 * 1024;

export type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: 400 | 413 | 415; readonly error: string };

/** Whether a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
}

/**
 * Reads a body of JSON. The content type must say so: a page of another origin cannot send that type without asking
 * first, and nobody answers it. Rejects if the caller goes away; how long it may take is the server's `requestTimeout`.
 */
export async function readJson(request: IncomingMessage): Promise<Body> {
  const type = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  if (type !== 'application/json') {
    return { ok: false, status: 415, error: 'the body must have content-type application/json' };
  }
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_BODY) {
      return { ok: false, status: 413, error: `the body may have ${MAX_BODY} bytes` };
    }
    parts.push(part);
  }
  try {
    return { ok: true, value: JSON.parse(Buffer.concat(parts).toString('utf8')) };
  } catch (error) {
    return { ok: false, status: 400, error: `the body is no JSON: ${(error as Error).message}` };
  }
}
