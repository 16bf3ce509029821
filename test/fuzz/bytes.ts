import fc from 'fast-check';

/** What HTTP messages are made of, right and wrong: random bytes alone hardly get past the first line. */
const PIECES = [
  'GET / HTTP/1.1\r\n',
  'GET /users/12345?q=1#x HTTP/1.1\r\nHost: a.example:80\r\n',
  'POST /upload HTTP/1.1\r\n',
  'HEAD * HTTP/1.0\r\n',
  'CONNECT example.org:443 HTTP/1.1\r\n',
  'OPTIONS http://example.org/a%20b HTTP/1.1\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'HTTP/1.0 404 \r\n',
  'HTTP/1.1 304 Not Modified\r\n\r\n',
  'HTTP/1.1 999 x\r\n',
  'Host: localhost\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 18446744073709551616\r\n',
  'Content-Length: -1\r\n',
  'Content-Length: 5, 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip, chunked\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive, Upgrade\r\n',
  'Upgrade: h2c\r\n',
  'Expect: 100-continue\r\n',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n',
  'b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1\r\n',
  'sw8: 1-TVRJek5EVTI=-c2Vn-3-c2Vydmlj-aW5z-L2E=-MTI3\r\n',
  ': empty\r\n',
  ' folded\r\n',
  '\r\n',
  '\n',
  '5\r\nhello\r\n',
  'ffffffffffffffff\r\n',
  '0;x=y\r\n\r\n',
  '0\r\nTrailer: x\r\n\r\n',
  'hello',
  '\0\0\0\u0001',
].map((piece) => Buffer.from(piece, 'latin1'));

/** Bytes that look like HTTP in places: pieces in any order, with some bytes replaced, cut anywhere. */
export function httpLikeBytes(maxPieces = 12): fc.Arbitrary<Uint8Array> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...PIECES) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  );
  return fc
    .record({
      pieces: fc.array(piece, { maxLength: maxPieces }),
      flips: fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), { maxLength: 4 }),
      cut: fc.option(fc.nat(), { freq: 4 }),
    })
    .map(({ pieces, flips, cut }) => {
      const bytes = Buffer.concat(pieces);
      for (const { at, byte } of flips) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return new Uint8Array(cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1)));
    });
}

/** A piece of bytes within a larger buffer: what lies beside it must not be read as part of it. */
export interface Slice {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export function slices(): fc.Arbitrary<Slice> {
  return fc
    .record({ before: fc.nat(64), content: httpLikeBytes(), after: httpLikeBytes(2) })
    .map(({ before, content, after }) => {
      const bytes = new Uint8Array(before + content.length + after.length).fill(0x47);
      bytes.set(content, before);
      bytes.set(after, before + content.length);
      return { bytes, start: before, end: before + content.length };
    });
}
