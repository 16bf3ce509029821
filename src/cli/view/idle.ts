/** What stands where services would, as long as there are none. */
export const IDLE: readonly string[] = [
  'No request has been seen yet. Sonde watches every TCP socket of this host; make some traffic:',
  '',
  '  python3 -m http.server 8000 --bind 127.0.0.1      in one terminal',
  '  curl http://127.0.0.1:8000/                       in another',
  '',
  'or end this and let Sonde make some: npm start -- --demo',
];

export const DEMO_STARTING: readonly string[] = ['The demo service is starting…'];
