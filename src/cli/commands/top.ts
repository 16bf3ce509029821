import { loadConfiguration } from '../../config/load.ts';
import type { LoadedConfiguration } from '../../config/load.ts';
import { SondeError } from '../../model/errors.ts';
import { checkPrivileges } from '../doctor/privilege-checks.ts';
import type { Environment } from '../environment.ts';
import { exitOnInternalErrors } from '../internal-errors.ts';
import { listenForStop } from '../stop-signal.ts';
import { createLiveView } from '../view/live-view.ts';
import { addressOf } from '../view/remote-address.ts';
import { createRemoteSource } from '../view/remote-source.ts';
import type { ViewSource } from '../view/source.ts';
import { openTerminal } from '../view/terminal.ts';

export interface TopOptions {
  /** Of a control interface; undefined: that of the configuration, and else a probe of our own. */
  readonly url: string | undefined;
  readonly tokenFile: string | undefined;
  readonly configFile: string | undefined;
  readonly environment: Environment;
}

/** `sonde top`: the view of a probe that runs, or of one that it starts. @throws SondeError */
export async function top(options: TopOptions): Promise<number> {
  const loaded = loadConfiguration({ file: options.configFile, environment: options.environment });
  const source = await attach(options, loaded);
  if (source === undefined) {
    const { run } = await import('./run.ts');
    const { configFile, environment } = options;
    return run({ configFile, forSeconds: undefined, view: 'once', demo: false, environment });
  }
  const signal = listenForStop();
  const view = createLiveView({
    terminal: openTerminal({ output: process.stdout, input: process.stdin }, options.environment),
    source,
    plain: 'once',
    notes: () => [],
    idle: ['The probe has seen no request yet.'],
    // As Ctrl-C does where the terminal sends a signal: the second time it ends at once.
    onEnd: () => process.kill(process.pid, 'SIGINT'),
  });
  const giveTerminalBack = (): void => view.abandon();
  const leaveInternalErrors = exitOnInternalErrors({
    giveTerminalBack,
    write: (text) => process.stderr.write(text),
  });
  process.on('exit', giveTerminalBack);
  process.stdout.on('error', () => signal.stop());
  try {
    view.start();
    await Promise.race([signal.stopped, view.done]);
  } finally {
    view.abandon();
    process.off('exit', giveTerminalBack);
    leaveInternalErrors();
    signal.dispose();
  }
  return 0;
}

/** A probe that answers, or undefined if none does and one can be started. */
async function attach(options: TopOptions, loaded: LoadedConfiguration): Promise<ViewSource | undefined> {
  const source = createRemoteSource(addressOf(options, loaded));
  try {
    await source.read();
    return source;
  } catch (error) {
    source.close();
    if (options.url !== undefined || !(error instanceof SondeError) || !isNobody(error)) {
      throw error;
    }
    if (process.platform !== 'linux' || !checkPrivileges('').ok) {
      throw new SondeError('SONDE_NO_PROBE', {
        detail: `${error.text}, and starting one needs root`,
        remedy: 'Start one with `sudo sonde run`, or give the address of another one with --url.',
        cause: error,
      });
    }
    return undefined;
  }
}

/** Nobody listens there, or it cannot be told where (port 0). */
function isNobody(error: SondeError): boolean {
  return /\((ECONNREFUSED|EADDRNOTAVAIL)\)/.test(error.text);
}
