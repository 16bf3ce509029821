/** One call's bytes as a parser gets them. One object that is filled again for each record. */
export class Segment {
  bytes: Uint8Array = new Uint8Array(0);
  /** The captured bytes are bytes[start, end). */
  start = 0;
  end = 0;
  /** Bytes of the call that follow the captured ones and were not captured. */
  unseen = 0;
  /** Of the call. NaN first, so that the fields are doubles from the start. */
  time = Number.NaN;
  /** How long the message lay in the socket before this call; NaN if not known. */
  queueNs = Number.NaN;
  /** The record starts a message. */
  starts = false;
  /** Peer of a datagram: place in `bytes`, and port; -1 and 0 if not known. */
  peerStart = -1;
  peerLength = 0;
  peerPort = 0;
}
