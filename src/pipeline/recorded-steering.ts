import type { ProtocolSettings } from '../analyzer/network/protocols.ts';
import type { SteerNote } from '../recording/note.ts';
import type { Analysis } from './analysis.ts';

/** What may be done to an analysis while it runs that its exchanges depend on. */
type Steering = Pick<Analysis['live'], 'enableProtocol' | 'configureProtocol' | 'endDatagrams' | 'ignore' | 'admit'>;

const MAX_NAME = 64;
const MAX_PORTS = 1024;

/** Tells of each step before it is done. */
export function recordSteering(live: Steering, note: (step: SteerNote) => void): Steering {
  return {
    enableProtocol(name, enabled) {
      note({ protocol: name, enabled });
      live.enableProtocol(name, enabled);
    },
    configureProtocol(name, settings) {
      const { ports, timeoutNs } = settings;
      note({ settings: name, ports: ports ?? null, timeout_ns: timeoutNs ?? null });
      live.configureProtocol(name, settings);
    },
    endDatagrams() {
      note({ end_datagrams: true });
      live.endDatagrams();
    },
    ignore(index, generation, ignored) {
      note({ ignore: index, generation, ignored });
      live.ignore(index, generation, ignored);
    },
    admit(newcomers) {
      note({ admit: newcomers });
      live.admit(newcomers);
    },
  };
}

/** Does a step again that a recording tells of. It may come from anywhere: what is no step is passed over. */
export function steerAgain(live: Steering, step: Readonly<Record<string, unknown>>): void {
  const { protocol, enabled, settings, ports, timeout_ns: timeoutNs, ignore, generation, ignored, admit } = step;
  if (typeof admit === 'boolean') live.admit(admit);
  else if (step['end_datagrams'] === true) live.endDatagrams();
  else if (isName(protocol) && typeof enabled === 'boolean') live.enableProtocol(protocol, enabled);
  else if (isName(settings)) live.configureProtocol(settings, asSettings(ports, timeoutNs));
  else if (isWhole(ignore) && isWhole(generation) && typeof ignored === 'boolean') {
    live.ignore(ignore, generation, ignored);
  }
}

function asSettings(ports: unknown, timeoutNs: unknown): ProtocolSettings {
  return {
    ...(Array.isArray(ports) && ports.length <= MAX_PORTS && ports.every(isWhole) ? { ports } : {}),
    ...(typeof timeoutNs === 'number' && timeoutNs > 0 ? { timeoutNs } : {}),
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_NAME;
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
