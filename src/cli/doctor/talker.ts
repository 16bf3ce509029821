import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SondeError } from '../../model/errors.ts';

/** A process that makes requests to itself over loopback. */
export interface Talker {
  readonly port: number;
  /** Makes one request; resolves when it was answered. @throws SondeError SONDE_NO_LOOPBACK */
  talk(): Promise<void>;
  stop(): Promise<void>;
}

type Message = { readonly port: number } | { readonly answered: number } | { readonly failed: string };

/** Starts it; the probe never observes itself, so it is a process of its own. @throws SondeError SONDE_NO_LOOPBACK */
export async function startTalker(): Promise<Talker> {
  const script = fileURLToPath(new URL('loopback-talk.js', import.meta.url));
  const child = fork(script, [], { execArgv: ['--max-old-space-size=32'], stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
  };
  const first = await nextMessage(child);
  if (!('port' in first)) {
    await stop();
    throw noLoopback(first);
  }
  return {
    port: first.port,
    async talk() {
      const answer = nextMessage(child);
      child.send('talk');
      const message = await answer;
      if (!('answered' in message)) {
        throw noLoopback(message);
      }
    },
    stop,
  };
}

function noLoopback(message: Message): SondeError {
  const why = 'failed' in message ? ` (${message.failed})` : '';
  return new SondeError('SONDE_NO_LOOPBACK', { detail: `no request can be made over loopback${why}` });
}

async function nextMessage(child: ChildProcess): Promise<Message> {
  const ended = new AbortController();
  const onExit = (): void => ended.abort();
  child.once('exit', onExit);
  try {
    const [message] = (await once(child, 'message', { signal: ended.signal })) as [Message];
    return message;
  } catch {
    throw new Error('the process that makes a request over loopback ended early');
  } finally {
    child.off('exit', onExit);
  }
}
