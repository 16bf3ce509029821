/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The layout of every record that travels from the kernel to user space. It exists once, here:
 * src/model/record.gen.ts is generated from the BTF of the compiled object.
 *
 * Times are CLOCK_MONOTONIC nanoseconds. All integers are in host byte order but for addresses and
 * ports, which are in network order. A record is a multiple of 64 bytes long and starts on one.
 *
 * Padding is not written, neither that of a struct nor what follows the payload: it holds what was in the ring before,
 * bytes of other messages among it. Whoever keeps records zeroes it first.
 */
#ifndef SONDE_RECORD_H
#define SONDE_RECORD_H

#define RECORD_ALIGN 64
#define PAYLOAD_MAX 4096
/* The longest record there is. */
#define RECORD_MAX (PAYLOAD_MAX + 128)
/* Bytes behind a ring's data, so that no record has to wrap. */
#define RING_SLACK 12288

enum record_kind {
	RECORD_MESSAGE = 1,  /* struct message_record + payload */
	RECORD_OPEN = 2,     /* struct open_record: once a socket, before its first other record */
	RECORD_OWNER = 3,    /* struct owner_record: another process uses the socket from here on */
	RECORD_TOTALS = 4,   /* struct totals_record: what a sweep found changed */
	RECORD_CLOSE = 5,    /* struct totals_record: the last record of a socket */
	RECORD_DATAGRAM = 6, /* struct datagram_record + payload: one UDP datagram */
	RECORD_TCP = 7, /* struct tcp_record: how TCP fares on a socket; what a sweep found changed, and before close */
	RECORD_TCP_EVENT = 8, /* struct tcp_event_record: something went wrong on the network */
	RECORD_LISTENER = 9,  /* struct listener_record: a listening socket, at each look */
};

enum tcp_event {
	TCP_EVENT_RETRANSMIT = 1, /* a segment was sent again; cause: enum retransmit_cause */
	TCP_EVENT_RESET_SENT = 2, /* cause: the kernel's enum sk_rst_reason, 0 before 6.10 */
	TCP_EVENT_RESET_RECEIVED = 3,
	TCP_EVENT_DROP = 4, /* the kernel threw a packet of this connection away; cause: its enum skb_drop_reason */
	TCP_EVENT_ZERO_WINDOW = 5, /* this end's receive window has closed; amount: us since then, at least */
	TCP_EVENT_WINDOW_OPEN = 6, /* it was seen open again; amount: us since it was first seen closed, at least */
};

enum retransmit_cause {
	RETRANSMIT_UNKNOWN = 0,
	RETRANSMIT_TIMEOUT = 1, /* in state loss: the retransmission timer ran out */
	RETRANSMIT_FAST = 2,    /* in state recovery: acknowledgements told of a hole */
	RETRANSMIT_PROBE = 3,   /* a tail loss probe */
	RETRANSMIT_SYN = 4,     /* a SYN or SYN-ACK */
};

enum record_direction {
	DIRECTION_RECEIVE = 0,
	DIRECTION_SEND = 1,
};

enum record_flag {
	FLAG_START = 1,       /* first call of a message: the direction has changed */
	FLAG_NO_PAYLOAD = 2,  /* the bytes could not be read: sendfile, splice, io_uring, 32-bit caller */
	FLAG_QUEUE_TICKS = 4, /* queue is known, in kernel ticks */
	FLAG_QUEUE_US = 8,    /* queue is known, in microseconds */
	FLAG_JOINED = 16,     /* the socket was open before the probe saw it */
};

enum socket_role {
	ROLE_UNKNOWN = 0,
	ROLE_CLIENT = 1,
	ROLE_SERVER = 2,
};

enum close_reason {
	CLOSE_UNKNOWN = 0,
	CLOSE_LOCAL = 1,          /* this end sent the first FIN */
	CLOSE_REMOTE = 2,         /* the peer sent the first FIN */
	CLOSE_RESET_LOCAL = 3,    /* this end sent a reset */
	CLOSE_RESET_REMOTE = 4,   /* the peer sent a reset */
	CLOSE_TIMEOUT = 5,        /* retransmissions or keep-alives ran out */
	CLOSE_CONNECT_FAILED = 6, /* it never was established: see error */
	CLOSE_SWITCHED_OFF = 7,   /* it goes on, but capture was switched off */
};

/* Policy of a socket, the low half of its word in the policy table (the high half is the generation). */
enum policy {
	POLICY_STREAM = 0,  /* a record a call, payload up to the limit */
	POLICY_HEADERS = 1, /* a record a message; payload by size class of its direction */
	POLICY_COUNT = 2,   /* totals only: open, sweep, close */
	POLICY_IGNORE = 3,  /* nothing but open and close */
	POLICY_MASK = 3,
	POLICY_RECEIVE_CLASS_SHIFT = 2, /* 4 bits: 0 no payload, else up to 32 << class bytes */
	POLICY_SEND_CLASS_SHIFT = 6,    /* 4 bits */
	POLICY_SET = 1 << 15,           /* set by user space in every word it writes */
};

/* Bits of what user space has switched off. */
enum switched {
	SWITCHED_CAPTURE = 1, /* everything */
	SWITCHED_PAYLOAD = 2, /* the bytes of messages: records come without */
	SWITCHED_TCP = 4,     /* tcp, tcp_event and listener records */
	SWITCHED_UDP = 8,     /* datagram records */
};

/* What every record starts with. length is written last: until then it is 0 in the ring. */
struct record_head {
	__u32 length; /* of the whole record, padding included */
	__u8 kind;
	__u8 direction;
	__u16 captured;   /* bytes of payload that follow the record's fixed part */
	__u32 index;      /* of the socket in the connection table */
	__u16 generation; /* of that index: an index is reused after its close record */
	__u16 flags;
	__u64 time; /* of the call; of an open record: when it was written */
};

struct message_record {
	struct record_head head;
	__u64 last_time; /* of the last call before this one on the socket, either direction; 0 if none */
	__u32 tx;        /* bytes sent before this call, modulo 2^32 */
	__u32 rx;        /* bytes received, this call's included, modulo 2^32 */
	__u32 size;      /* bytes of this call */
	__u32 number;    /* of this record on its socket: a gap is a lost record */
	__u32 turn;      /* of this message on its socket: grows at each change of direction */
	__u32 tgid;      /* who called, in the kernel's own process ids */
	__u32 tid;
	__u32 queue; /* how long the message lay in the socket before this call, see flags */
};

struct open_record {
	struct record_head head;
	__u64 cookie;
	__u64 connect_ns; /* SYN sent to established; 0 if not known */
	__u64 cgroup_id;
	__u32 netns;
	__u32 tgid; /* 0 if no process has used the socket yet */
	__u32 tid;
	__u32 tx; /* counters as they stood, see message_record */
	__u32 rx;
	__u32 number;
	__u32 turn;
	__u16 local_port;
	__u16 remote_port;
	__u8 local_address[16]; /* IPv4 in the first four bytes */
	__u8 remote_address[16];
	__u8 comm[16];
	__u8 family; /* 4 or 6 */
	__u8 role;
	__u8 padding[62];
};

struct owner_record {
	struct record_head head;
	__u64 cgroup_id;
	__u32 tgid;
	__u32 tid;
	__u8 comm[16];
	__u8 padding[8];
};

struct totals_record {
	struct record_head head;
	__u64 last_send; /* time of the last call that sent, 0 if none */
	__u64 last_receive;
	__u32 tx;
	__u32 rx;
	__u32 number;
	__u32 turn;
	__u8 last_direction;
	__u8 reason; /* enum close_reason, of a close record */
	__u16 error; /* the socket's errno, of a close record */
	__u8 padding0[4];
	__u64 cookie;
	__u8 padding[56];
};

struct datagram_record {
	struct record_head head;
	__u64 cookie;
	__u64 cgroup_id;
	__u32 size;
	__u32 tgid;
	__u32 tid;
	__u32 netns;
	__u16 local_port;
	__u16 remote_port; /* 0 if the peer is not known */
	__u8 local_address[16];
	__u8 remote_address[16];
	__u8 comm[16];
	__u8 family;
	__u8 padding[19];
};

/*
 * How TCP fares on a socket since it was opened, as its tcp_sock says: what counts only grows (32 bits: modulo 2^32).
 * Of a socket that the probe joined (FLAG_JOINED) the first such record is the baseline.
 */
struct tcp_record {
	struct record_head head;
	__u64 bytes_sent; /* with retransmissions */
	__u64 bytes_retransmitted;
	__u64 bytes_received;      /* in order */
	__u64 busy_us;             /* something was there to send */
	__u64 receiver_limited_us; /* of it: the peer's window was closed or too small */
	__u64 buffer_limited_us;   /* of it: the send buffer was too small */
	__u64 delivery_rate;       /* bytes a second, the last sample; 0 if none */
	__u32 srtt_us;             /* 0 if not known */
	__u32 rttvar_us;
	__u32 min_rtt_us; /* 0 if not known */
	__u32 segments_out;
	__u32 segments_in;
	__u32 data_segments_out;
	__u32 data_segments_in;
	__u32 retransmits;       /* segments */
	__u32 loss_probes;       /* of them: tail loss probes, as far as seen */
	__u32 spurious;          /* the peer had it already: DSACKs received */
	__u32 out_of_order;      /* segments received */
	__u32 reordered;         /* times that sent segments were seen to be reordered */
	__u32 delivered;         /* segments acknowledged */
	__u32 lost;              /* segments held for lost right now */
	__u32 congestion_window; /* segments */
	__u32 send_window;       /* the peer's, bytes */
	__u32 receive_window;    /* this end's, bytes */
	__u32 unread;            /* bytes received that the application has not taken */
	__u32 unsent;            /* bytes written that were not sent yet */
	__u32 zero_window_us;    /* this end's receive window was seen closed for so long: a lower bound */
	__u8 state;              /* of TCP, enum in net/tcp_states.h */
	__u8 padding[31];
};

struct tcp_event_record {
	struct record_head head; /* index and generation are 0 if the socket has none, or there is no socket */
	__u32 event;             /* enum tcp_event */
	__u32 cause;
	__u32 number; /* of this event on its socket, from 1; 0 without socket */
	__u32 amount; /* bytes of a packet, or as the event says */
	__u32 netns;
	__u16 local_port; /* 0 if not known */
	__u16 remote_port;
	__u8 local_address[16];
	__u8 remote_address[16];
	__u8 family; /* 4 or 6; 0 if no address is known */
	__u8 state;  /* of TCP; 0 without socket */
	__u8 padding[46];
};

struct listener_record {
	struct record_head head;
	__u64 cookie;
	__u32 netns;
	__u32 backlog;     /* connections that wait to be accepted */
	__u32 max_backlog; /* what listen() asked for, as the kernel cut it */
	__u32 drops;       /* connections and packets turned away there since listen(), modulo 2^32 */
	__u32 tgid;        /* who called listen(), 0 if not known */
	__u16 port;
	__u8 family;
	__u8 padding0;
	__u8 address[16];
	__u8 comm[16];
	__u8 padding[40];
};

/* Counters a CPU, in the header of its ring: 64 bits each, never reset. */
enum counter {
	COUNT_RUNS = 0,          /* runs of the socket hooks */
	COUNT_MESSAGES = 1,      /* runs that wrote a message or datagram record */
	COUNT_CONTINUED = 2,     /* runs that only moved a socket's totals */
	SKIP_FAMILY = 3,         /* not TCP or UDP over IP, or UDP while that is off */
	SKIP_EMPTY = 4,          /* nothing moved: error, EAGAIN, end of stream */
	SKIP_PEEK = 5,           /* MSG_PEEK */
	SKIP_SELF = 6,           /* the probe's own sockets */
	SKIP_FILTERED = 7,       /* capture.filter */
	SKIP_POLICY = 8,         /* policy ignore */
	DROP_RING_FULL = 9,      /* runs whose message record found no room */
	DROP_STORAGE_FULL = 10,  /* runs on a socket for which no state could be made */
	RING_LIFE = 11,          /* records of a socket's life (all but messages and datagrams) that were written */
	RING_LIFE_FULL = 12,     /* open, owner, totals and close records that found no room */
	PAYLOAD_UNREADABLE = 13, /* message records with FLAG_NO_PAYLOAD */
	TABLE_FULL = 14,         /* attempts to track a socket that found no free index */
	SOCKETS_OPENED = 15,
	SOCKETS_CLOSED = 16,
	TCP_EVENTS = 17,         /* happenings that a tcp_event_record tells of */
	TCP_EVENTS_WRITTEN = 18, /* of them: those whose record was written */
	TCP_EVENTS_PACED = 19, /* of them: beyond the pace at which records are written; they are in the totals alone */
	SKIP_OFF = 20,         /* runs while capture was switched off */
	PAYLOAD_OFF = 21,      /* message records without payload because that was switched off */
	COUNTERS = 24,
};

/*
 * One CPU's ring: a value of the map `rings`. The data that follows is `ring_bytes` long plus RING_SLACK.
 * A record starts at (position & (ring_bytes - 1)). The reader zeroes the first word of every 64 bytes
 * that it has read, then moves tail.
 */
struct ring_header {
	__u64 head; /* bytes reserved since the start; the kernel adds to it */
	__u64 pad_head[7];
	__u64 tail; /* bytes read since the start; user space writes it */
	__u64 pad_tail[7];
	__u64 counters[COUNTERS];
};

#endif
