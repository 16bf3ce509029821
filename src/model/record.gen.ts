// Generated from the BTF of the compiled object (bpf/include/record.h). Do not edit.

/** Byte offsets of the fields of each record; those of a record's own fields count from its start. */
export const RECORD = {
  align: 64,
  head: { length: 0, kind: 4, direction: 5, captured: 6, index: 8, generation: 12, flags: 14, time: 16 },
  message: { lastTime: 24, tx: 32, rx: 36, size: 40, number: 44, turn: 48, tgid: 52, tid: 56, queue: 60 },
  open: {
    cookie: 24,
    connectNs: 32,
    cgroupId: 40,
    netns: 48,
    tgid: 52,
    tid: 56,
    tx: 60,
    rx: 64,
    number: 68,
    turn: 72,
    localPort: 76,
    remotePort: 78,
    localAddress: 80,
    remoteAddress: 96,
    comm: 112,
    family: 128,
    role: 129,
  },
  owner: { cgroupId: 24, tgid: 32, tid: 36, comm: 40 },
  totals: {
    lastSend: 24,
    lastReceive: 32,
    tx: 40,
    rx: 44,
    number: 48,
    turn: 52,
    lastDirection: 56,
    reason: 57,
    error: 58,
    cookie: 64,
  },
  datagram: {
    cookie: 24,
    cgroupId: 32,
    size: 40,
    tgid: 44,
    tid: 48,
    netns: 52,
    localPort: 56,
    remotePort: 58,
    localAddress: 60,
    remoteAddress: 76,
    comm: 92,
    family: 108,
  },
  tcp: {
    bytesSent: 24,
    bytesRetransmitted: 32,
    bytesReceived: 40,
    busyUs: 48,
    receiverLimitedUs: 56,
    bufferLimitedUs: 64,
    deliveryRate: 72,
    srttUs: 80,
    rttvarUs: 84,
    minRttUs: 88,
    segmentsOut: 92,
    segmentsIn: 96,
    dataSegmentsOut: 100,
    dataSegmentsIn: 104,
    retransmits: 108,
    lossProbes: 112,
    spurious: 116,
    outOfOrder: 120,
    reordered: 124,
    delivered: 128,
    lost: 132,
    congestionWindow: 136,
    sendWindow: 140,
    receiveWindow: 144,
    unread: 148,
    unsent: 152,
    zeroWindowUs: 156,
    state: 160,
  },
  tcpEvent: {
    event: 24,
    cause: 28,
    number: 32,
    amount: 36,
    netns: 40,
    localPort: 44,
    remotePort: 46,
    localAddress: 48,
    remoteAddress: 64,
    family: 80,
    state: 81,
  },
  listener: {
    cookie: 24,
    netns: 32,
    backlog: 36,
    maxBacklog: 40,
    drops: 44,
    tgid: 48,
    port: 52,
    family: 54,
    address: 56,
    comm: 72,
  },
  size: { message: 64, open: 192, owner: 64, totals: 128, datagram: 128, tcp: 192, tcpEvent: 128, listener: 128 },
  max: { record: 4224, payload: 4096 },
} as const;

/** Bytes of each record's fixed part that no field covers, as [from, to): the kernel does not write them. */
export const PADDING = {
  message: [],
  open: [[130, 192]],
  owner: [[56, 64]],
  totals: [[60, 64], [72, 128]],
  datagram: [[109, 128]],
  tcp: [[161, 192]],
  tcpEvent: [[82, 128]],
  listener: [[55, 56], [88, 128]],
} as const;

export const KIND = {
  message: 1,
  open: 2,
  owner: 3,
  totals: 4,
  close: 5,
  datagram: 6,
  tcp: 7,
  tcpEvent: 8,
  listener: 9,
} as const;

export const DIRECTION = { receive: 0, send: 1 } as const;

export const FLAG = { start: 1, noPayload: 2, queueTicks: 4, queueUs: 8, joined: 16 } as const;

export const ROLE = { unknown: 0, client: 1, server: 2 } as const;

export const CLOSE = {
  unknown: 0,
  local: 1,
  remote: 2,
  resetLocal: 3,
  resetRemote: 4,
  timeout: 5,
  connectFailed: 6,
  switchedOff: 7,
} as const;

export const POLICY = {
  stream: 0,
  headers: 1,
  count: 2,
  ignore: 3,
  mask: 3,
  receiveClassShift: 2,
  sendClassShift: 6,
  set: 32768,
} as const;

export const COUNTER = {
  countRuns: 0,
  countMessages: 1,
  countContinued: 2,
  skipFamily: 3,
  skipEmpty: 4,
  skipPeek: 5,
  skipSelf: 6,
  skipFiltered: 7,
  skipPolicy: 8,
  dropRingFull: 9,
  dropStorageFull: 10,
  ringLife: 11,
  ringLifeFull: 12,
  payloadUnreadable: 13,
  tableFull: 14,
  socketsOpened: 15,
  socketsClosed: 16,
  tcpEvents: 17,
  tcpEventsWritten: 18,
  tcpEventsPaced: 19,
  skipOff: 20,
  payloadOff: 21,
  counters: 24,
} as const;

export const TCP_EVENT = {
  retransmit: 1,
  resetSent: 2,
  resetReceived: 3,
  drop: 4,
  zeroWindow: 5,
  windowOpen: 6,
} as const;

export const RETRANSMIT = { unknown: 0, timeout: 1, fast: 2, probe: 3, syn: 4 } as const;

export const SWITCHED = { capture: 1, payload: 2, tcp: 4, udp: 8 } as const;
