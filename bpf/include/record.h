/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The layout of every record that travels from the kernel to user space. It exists once, here:
 * src/model/record.gen.ts is generated from the BTF of the compiled object.
 *
 * Times are CLOCK_MONOTONIC nanoseconds. All integers are in host byte order but for addresses and
 * ports, which are in network order. A record is a multiple of 64 bytes long and starts on one.
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
