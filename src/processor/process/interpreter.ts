/** How an interpreter names what it runs on its command line. */
interface Interpreter {
  /** Options that name the program by their value, for example `-m`. */
  readonly program: ReadonlySet<string>;
  /** Options whose value is an argument of its own. */
  readonly valued: ReadonlySet<string>;
  /** Options after which there is no script, only code. */
  readonly inline: ReadonlySet<string>;
  /** True where letters can share a dash: `-uBm module`. */
  readonly clusters: boolean;
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(' ').filter((word) => word !== ''));

function interpreter(options: { program?: string; valued?: string; inline?: string; clusters?: boolean }): Interpreter {
  return {
    program: set(options.program ?? ''),
    valued: set(options.valued ?? ''),
    inline: set(options.inline ?? ''),
    clusters: options.clusters ?? false,
  };
}

const SHELL = interpreter({ valued: '-o -O +o +O --rcfile --init-file', inline: '-c', clusters: true });

/** By the base name of the executable without its version. */
const INTERPRETERS: Readonly<Record<string, Interpreter>> = {
  node: interpreter({
    valued: '-r --require --import --loader --experimental-loader -C --conditions --title --env-file --inspect-port',
    inline: '-e --eval -p --print -pe -i --interactive',
  }),
  python: interpreter({ program: '-m', valued: '-W -X --check-hash-based-pycs', inline: '-c', clusters: true }),
  java: interpreter({
    program: '-jar -m --module',
    valued:
      '-cp -classpath --class-path -p --module-path --upgrade-module-path --add-modules --add-exports --add-opens ' +
      '--add-reads --limit-modules --patch-module --enable-native-access --source',
  }),
  ruby: interpreter({ valued: '-I -r -E -C --encoding', inline: '-e', clusters: true }),
  php: interpreter({ program: '-f --file', valued: '-S -t -c -d -z', inline: '-r --run -B -R -E' }),
  perl: interpreter({ valued: '-I', inline: '-e -E', clusters: true }),
  bash: SHELL,
  sh: SHELL,
  dash: SHELL,
  zsh: SHELL,
  ksh: SHELL,
};

const ALIASES: Readonly<Record<string, string>> = { nodejs: 'node', pypy: 'python' };

/**
 * The script, module, class or jar that an interpreter runs, without its folder: `server.js`, `http.server`,
 * `app.jar`, `com.example.Main`. Null for other programs, for code on the command line, and interactively.
 */
export function scriptOf(executable: string, argv: readonly string[]): string | null {
  const name = executable.replace(/[\d.]+$/, '').replace(/-$/, '');
  const known = INTERPRETERS[ALIASES[name] ?? name];
  // A process may rewrite its title: then the whole command line is one argument.
  if (known === undefined || argv.length < 2) return null;
  const script = findScript(known, argv);
  if (script === undefined || script === '' || script === '-') return null;
  return script.slice(script.lastIndexOf('/') + 1) || null;
}

function findScript(known: Interpreter, argv: readonly string[]): string | undefined {
  for (let i = 1; i < argv.length; i += 1) {
    const argument = argv[i];
    if (argument === '--') return argv[i + 1];
    if (!/^[-+]./.test(argument)) return argument;
    if (known.inline.has(argument)) return undefined;
    if (known.program.has(argument)) return argv[i + 1];
    if (known.valued.has(argument)) {
      i += 1;
    } else if (known.clusters && !argument.startsWith('--')) {
      const found = inCluster(known, argument);
      if (found === 'inline') return undefined;
      if (found === 'program') return argv[i + 1];
      if (found === 'valued') i += 1;
      else if (found !== null) return found.program;
    }
  }
  return undefined;
}

/** What a cluster such as `-uBm` ends with; null if with nothing that matters. */
function inCluster(known: Interpreter, cluster: string): 'inline' | 'program' | 'valued' | { program: string } | null {
  for (let i = 1; i < cluster.length; i += 1) {
    const option = cluster[0] + cluster[i];
    const last = i === cluster.length - 1;
    if (known.inline.has(option)) return 'inline';
    if (known.program.has(option)) return last ? 'program' : { program: cluster.slice(i + 1) };
    if (known.valued.has(option)) return last ? 'valued' : null;
  }
  return null;
}
