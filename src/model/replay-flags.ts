/**
 * Flags of open and datagram records (`head.flags`) that only a replay sets: a recording can say more, and less,
 * about its ends than the kernel. The bits are free in bpf/include/record.h.
 */
export const REPLAY_FLAG = {
  /** `local` is the server's end whatever the role: it is known who is who, but not which of them recorded. */
  localIsServer: 0x8000,
  /** The role of a datagram's socket, which its record has no field for. */
  roleClient: 0x4000,
  roleServer: 0x2000,
  /** An open record that only names the connection: how far its streams had come by then is not known. */
  namesOnly: 0x1000,
} as const;
