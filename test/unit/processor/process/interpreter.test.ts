import { describe, expect, it } from 'vitest';
import { scriptOf } from '../../../../src/processor/process/interpreter.ts';

const CASES: readonly (readonly [executable: string, commandLine: string, script: string | null])[] = [
  ['node', 'node server.js', 'server.js'],
  ['node', 'node /srv/app/dist/main.mjs --port 80', 'main.mjs'],
  ['node', 'node --enable-source-maps -r dotenv/config --import ./x.js app.js', 'app.js'],
  ['nodejs', '/usr/bin/nodejs --max-old-space-size=64 app.js', 'app.js'],
  ['node18', 'node -- app.js', 'app.js'],
  ['node', 'node', null],
  ['node', 'node -e setInterval(f)', null],
  ['node', 'node -', null],
  ['python3.11', 'python3 x.py', 'x.py'],
  ['python3.11', 'python3 -m http.server 8000', 'http.server'],
  ['python3.11', 'python3 -um http.server', 'http.server'],
  ['python3.11', 'python3 -mhttp.server', 'http.server'],
  ['python3.11', 'python3 -W ignore -X dev -u app.py', 'app.py'],
  ['python3', '/usr/bin/python3 /usr/bin/gunicorn app:app', 'gunicorn'],
  ['python3', 'python3 -c import(os)', null],
  ['python3', 'python3 -Ic import(os)', null],
  ['java', 'java -Xmx64m -jar /opt/shop/shop.jar --server.port=80', 'shop.jar'],
  ['java', 'java -cp /a.jar:/b.jar -Dx=y com.example.Main start', 'com.example.Main'],
  ['java', 'java --add-opens java.base/java.lang=ALL-UNNAMED -classpath x org.app.Start', 'org.app.Start'],
  ['java', 'java -p mods -m com.greetings/com.greetings.Main', 'com.greetings.Main'],
  ['ruby3.1', 'ruby -I lib -rbundler/setup bin/rails server', 'rails'],
  ['ruby', 'ruby -e puts', null],
  ['php8.2', 'php -S 127.0.0.1:80 -t public router.php', 'router.php'],
  ['php', 'php -d x=1 -f index.php', 'index.php'],
  ['php-fpm8.2', 'php-fpm: pool www', null],
  ['perl', 'perl -w -I lib script.pl', 'script.pl'],
  ['perl', 'perl -ne print', null],
  ['perl5.36.0', 'perl -Mstrict app.pl', 'app.pl'],
  ['bash', '/bin/bash /usr/local/bin/start.sh', 'start.sh'],
  ['bash', 'bash -eu -o pipefail run.sh', 'run.sh'],
  ['bash', 'bash -euo pipefail run.sh', 'run.sh'],
  ['dash', '/bin/sh -c sleep', null],
  ['bash', '-bash', null],
  ['nginx', 'nginx -c /etc/nginx.conf', null],
];

describe('scriptOf', () => {
  it.each(CASES)('%s: `%s` runs %s', (executable, commandLine, script) => {
    expect(scriptOf(executable, commandLine.split(' '))).toBe(script);
  });

  it('finds nothing in a title that the process wrote over its arguments', () => {
    expect(scriptOf('node', ['npm start'])).toBeNull();
    expect(scriptOf('python3.11', [''])).toBeNull();
    expect(scriptOf('java', [])).toBeNull();
  });
});
