import * as z from 'zod/mini';
import { SondeError } from '../../model/errors.ts';
import { parseFilter } from '../exchange-filter.ts';
import { readSubject, SUBJECT_KEYS } from '../exchange-subject.ts';
import type { ExchangeFeed } from '../exchange-feed.ts';
import type { Route } from '../route.ts';
import { errorSchema } from '../schemas.ts';

const MAX_LIMIT = 1_000_000_000;

/** `GET /exchanges?follow=1`: exchanges as they end, one JSON line each, until the caller goes away. */
export function exchangesRoute(feed: ExchangeFeed): Route {
  return {
    method: 'GET',
    path: '/exchanges',
    summary: 'Exchanges as they end, one JSON line each; {"lost":N} tells how many lines the caller was too slow for.',
    parameters: [
      { name: 'follow', required: true, doc: 'Must be 1: nothing is kept of the past.', schema: z.literal('1') },
      {
        name: 'filter',
        required: false,
        doc: 'Only those for which this holds, as for `sonde replay --filter`.',
        schema: z.string().check(z.maxLength(1000)),
      },
      {
        name: 'limit',
        required: false,
        doc: 'End after so many lines.',
        schema: z.string().check(z.regex(/^[1-9]\d{0,8}$/)),
      },
      ...SUBJECT_KEYS.map((name) => ({
        name,
        required: false,
        doc: `Only those of this ${name}, as GET /services calls it.`,
        schema: z.string(),
      })),
    ],
    responses: {
      200: { doc: 'Lines of docs/exchanges.md.', schema: z.string(), contentType: 'application/x-ndjson' },
      400: {
        doc: 'A parameter is not understood, or the connection still waits for an earlier answer.',
        schema: errorSchema,
      },
      503: { doc: 'As many follow as may.', schema: errorSchema },
    },
    handle({ query }) {
      if (query.get('follow') !== '1') {
        throw wrong('follow=1 is missing: nothing is kept of the past');
      }
      const expression = query.get('filter');
      const limit = query.get('limit');
      if (limit !== null && !/^[1-9]\d{0,8}$/.test(limit)) {
        throw wrong(`limit must be a whole number from 1 to ${MAX_LIMIT - 1}`);
      }
      const subject = readSubject(query);
      const filter = expression === null ? undefined : parseFilter(expression);
      if (feed.isFull()) {
        return { status: 503, body: { error: 'as many follow as may; try again when one of them has gone' } };
      }
      return {
        status: 200,
        contentType: 'application/x-ndjson; charset=utf-8',
        start: (response) =>
          feed.follow(response, {
            ...(filter === undefined ? {} : { filter }),
            ...(subject === undefined ? {} : { subject }),
            ...(limit === null ? {} : { limit: Number(limit) }),
          }),
      };
    },
  };
}

function wrong(detail: string): SondeError {
  return new SondeError('SONDE_USAGE', { detail, remedy: 'See docs/control.md.' });
}
