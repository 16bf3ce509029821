import fc from 'fast-check';
import { detectRequest, detectResponse } from '../../src/analyzer/network/protocol/http/detect.ts';
import { Fields, INCOMPLETE, readFields } from '../../src/analyzer/network/protocol/http/fields.ts';
import { routeOf } from '../../src/analyzer/network/protocol/http/route.ts';
import { DETECTION } from '../../src/analyzer/network/protocol/protocol.ts';
import { slices } from './bytes.ts';
import { type Target, target } from './target.ts';

/** The functions that read HTTP heads, alone. */
export const httpHeadTargets: readonly Target[] = [
  target('detection of HTTP', slices(), ({ bytes, start, end }) => {
    for (const detect of [detectRequest, detectResponse]) {
      for (const whole of [false, true]) {
        const answer = detect(bytes, start, end, whole);
        // With the whole message seen, or with no byte beyond it, nothing but its own bytes may count.
        if (answer !== detect(bytes.slice(start, end), 0, end - start, whole)) throw new Error('read beyond the end');
        if (whole && answer === DETECTION.maybe) throw new Error('maybe, though nothing will follow');
      }
    }
  }),
  target('header fields', slices(), ({ bytes, start, end }) => {
    const fields = new Fields();
    fields.reset();
    const after = readFields(bytes, start, end, fields);
    if (after !== INCOMPLETE && (after < start || after > end)) throw new Error(`ends at ${after} of ${end}`);
    if (!Number.isSafeInteger(fields.contentLength)) throw new Error(`length ${fields.contentLength}`);
  }),
  target('routes', fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 2_000 }), fc.webPath()), (path) => {
    const route = routeOf(path);
    if (route.split('/').length > path.split('/').length) throw new Error(`${route} has more segments than ${path}`);
    if (/(^|\/)\d+(\/|$)/.test(route)) throw new Error(`${route} keeps a number`);
  }),
];
