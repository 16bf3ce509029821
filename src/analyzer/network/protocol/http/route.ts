const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DIGITS = /^\d+$/;
const HEX = /^[0-9a-f]{8,}$/i;
const LONGEST_SEGMENT = 25;

/**
 * The route of a path: a segment of digits, a UUID, hex of 8 and more, or over 25 characters becomes `{id}`.
 * The path comes without its query.
 */
export function routeOf(path: string): string {
  let route = '';
  for (const [place, segment] of path.split('/').entries()) {
    if (place > 0) route += '/';
    route += isIdentifier(segment) ? '{id}' : segment;
  }
  return route;
}

function isIdentifier(segment: string): boolean {
  return segment.length > LONGEST_SEGMENT || DIGITS.test(segment) || HEX.test(segment) || UUID.test(segment);
}
