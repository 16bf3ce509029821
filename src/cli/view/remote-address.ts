import type { LoadedConfiguration } from '../../config/load.ts';
import type { Address } from '../../config/units.ts';
import { formatAddress } from '../../config/units.ts';
import { configuredToken, readTokenText } from '../../control/token.ts';
import { SondeError } from '../../model/errors.ts';
import type { ControlClientOptions } from './control-client.ts';

export interface AskedProbe {
  /** Undefined: the one at `control.listen` of the configuration. */
  readonly url: string | undefined;
  readonly tokenFile: string | undefined;
}

/**
 * Which control interface to ask, and the token to show it. The configuration's own token is for the configuration's
 * own address; another one gets what was given for it, by option or in the environment, or nothing.
 *
 * @throws SondeError if the address is none or the token cannot be read
 */
export function addressOf(
  { url, tokenFile }: AskedProbe,
  { configuration: { control }, origins }: Pick<LoadedConfiguration, 'configuration' | 'origins'>,
): Pick<ControlClientOptions, 'url' | 'token'> {
  const own = `http://${formatAddress(reachable(control.listen))}`;
  const asked = url === undefined ? own : baseUrl(url);
  if (tokenFile !== undefined) {
    return { url: asked, token: readTokenText(tokenFile) };
  }
  if (asked === own) {
    return { url: asked, token: configuredToken(control) };
  }
  const isFromEnvironment = origins.get('control.token')?.startsWith('environment ') === true;
  return { url: asked, token: isFromEnvironment ? control.token : undefined };
}

function baseUrl(text: string): string {
  const address = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'http:') {
    throw new SondeError('SONDE_USAGE', {
      detail: `--url ${JSON.stringify(text)} is no address of a control interface`,
      remedy: 'Write it as http://127.0.0.1:9503.',
    });
  }
  return `http://${url.host}`;
}

/** What listens on every address is reached on this host's own. */
export function reachable({ host, port }: Address): Address {
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port };
}
