import type { Switch } from '../control/switches.ts';
import type { KernelReceiver } from '../receiver/kernel/kernel-receiver.ts';
import type { Analysis } from './analysis.ts';

export interface KernelSwitchesOptions {
  readonly receiver: KernelReceiver;
  readonly analysis: { readonly live: Pick<Analysis['live'], 'endDatagrams' | 'enableProtocol'> };
  /** Protocols of the build, and whether they are on at the start. */
  readonly protocols: Readonly<Record<string, boolean>>;
  readonly udp: boolean;
  /** analyzers.tcp.enabled: without it nobody would take the records. */
  readonly tcp: boolean;
}

/** What can be switched while the pipeline runs, without attaching anything anew. */
export function kernelSwitches({ receiver, analysis, protocols, udp, tcp }: KernelSwitchesOptions): Switch[] {
  const on = new Map<string, boolean>([
    ['capture', true],
    ['payload', true],
    ['udp', udp],
    ['tcp', tcp],
    ...Object.entries(protocols),
  ]);
  const isOn = (name: string): boolean => on.get(name) ?? false;
  /** Sockets that were followed must be forgotten, or the messages of before and after would be taken for each other's. */
  const cannotForget = (): string | null => {
    const sweep = receiver.features().find(({ name }) => name === 'sweep');
    return sweep?.state === 'off' ? `capture needs the feature sweep, which is off: ${sweep.reason ?? ''}` : null;
  };
  return [
    {
      name: 'capture',
      isOn: () => isOn('capture'),
      obstacle: cannotForget,
      async set(wanted) {
        on.set('capture', wanted);
        await receiver.switch('capture', wanted);
        if (!wanted) {
          analysis.live.endDatagrams();
        }
      },
    },
    {
      name: 'payload',
      isOn: () => isOn('payload'),
      async set(wanted) {
        on.set('payload', wanted);
        await receiver.switch('payload', wanted);
      },
    },
    {
      name: 'tcp',
      isOn: () => isOn('tcp'),
      obstacle: () => (tcp ? null : 'analyzers.tcp.enabled was false at the start'),
      async set(wanted) {
        on.set('tcp', wanted);
        await receiver.switch('tcp', wanted);
      },
    },
    {
      name: 'udp',
      isOn: () => isOn('udp'),
      async set(wanted) {
        on.set('udp', wanted);
        await receiver.switch('udp', wanted);
        if (!wanted) {
          analysis.live.endDatagrams();
        }
      },
    },
    ...Object.keys(protocols).map(
      (name): Switch => ({
        name,
        isOn: () => isOn(name),
        set(wanted) {
          on.set(name, wanted);
          analysis.live.enableProtocol(name, wanted);
        },
      }),
    ),
  ];
}
