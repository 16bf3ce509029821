import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process that makes requests to itself over loopback. */
export interface Talker {
  readonly port: number;
  /** Makes one request; resolves when it was answered. */
  talk(): Promise<void>;
  stop(): Promise<void>;
}

type Message = { readonly port: number } | { readonly answered: number } | { readonly failed: string };

/** Starts it; the probe never observes itself, so it is a process of its own. */
export async function startTalker(): Promise<Talker> {
  const script = fileURLToPath(new URL('loopback-talk.js', import.meta.url));
  const child = fork(script, [], { execArgv: ['--max-old-space-size=32'], stdio: 'ignore' });
  const first = await nextMessage(child);
  return {
    port: (first as { port: number }).port,
    async talk() {
      const answer = nextMessage(child);
      child.send('talk');
      const message = await answer;
      if ('failed' in message) {
        throw new Error(`a request over loopback failed: ${message.failed}`);
      }
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill();
        await ended;
      }
    },
  };
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
