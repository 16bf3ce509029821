import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The running demo. */
export interface Demo {
  /** Port of the service on 127.0.0.1. */
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a small service and a client of it, each a process that ends with this one. */
export async function startDemo(): Promise<Demo> {
  const shop = start('demo-shop', []);
  try {
    const port = await portOf(shop);
    const shopper = start('demo-shopper', [String(port)]);
    return {
      port,
      async stop() {
        await Promise.all([shopper, shop].map(end));
      },
    };
  } catch (error) {
    await end(shop);
    throw error;
  }
}

function start(name: string, args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  return fork(script, args, { execArgv: ['--max-old-space-size=32', '--max-semi-space-size=1'], stdio: 'ignore' });
}

async function portOf(shop: ChildProcess): Promise<number> {
  const failed = once(shop, 'exit').then(([code]) => {
    throw new Error(`the demo service ended with exit code ${String(code)}`);
  });
  const [message] = (await Promise.race([once(shop, 'message'), failed])) as [{ port: number }];
  return message.port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }
}
