import { DETECTION } from '../protocol.ts';
import type { ProtocolModule } from '../protocol.ts';
import { DatagramParser } from './datagram-parser.ts';
import { GenericParser } from './generic-parser.ts';

/** What no other module recognises: timings, bytes and errors, over TCP. */
export function createGeneric(): ProtocolModule {
  return {
    name: 'generic',
    mode: 'half_duplex',
    transports: ['tcp'],
    ports: [],
    timeoutNs: 60e9,
    detect: () => DETECTION.no,
    create: (host) => new GenericParser(host),
  };
}

/** The same over UDP. */
export function createGenericDatagrams(): ProtocolModule {
  return {
    name: 'generic',
    mode: 'half_duplex',
    transports: ['udp'],
    ports: [],
    timeoutNs: 10e9,
    detect: () => DETECTION.no,
    create: (host) => new DatagramParser(host),
  };
}
