/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Programs that user space runs by BPF_PROG_RUN; nothing is attached. */
#include "include/socket.h"

struct self_answer {
	__u64 time;    /* CLOCK_MONOTONIC, ns */
	__u64 jiffies; /* kernel ticks */
	__u32 tgid;    /* of the caller, as the kernel counts */
	__u32 clock;   /* 1 if the TCP clock can be read */
};

/* Who am I to the kernel, and what do its clocks say? From here on the caller's own sockets are not seen. */
SEC("syscall")
int sonde_self(struct self_answer *answer)
{
	struct tcp_sock *tp = NULL;

	self_tgid = bpf_get_current_pid_tgid() >> 32;
	answer->time = bpf_ktime_get_ns();
	answer->jiffies = bpf_jiffies64();
	answer->tgid = self_tgid;
	answer->clock = bpf_core_field_exists(tp->tcp_clock_cache);
	return 0;
}

struct produce_request {
	__u32 records;
	__u32 payload; /* bytes, at most 1024 */
	__u32 index;
	__u32 generation;
};

/* Test producer: exact message records through the real ring. Returns how many found room. */
SEC("syscall")
int sonde_produce(struct produce_request *request)
{
	__u32 payload = request->payload & 1023, i, done = 0, length;
	struct ring_header *ring = this_ring();
	struct message_record *record;

	if (!ring)
		return 0;
	for (i = 0; i < 100000; i++) {
		if (i >= request->records)
			break;
		length = record_length(sizeof(*record), payload);
		count(ring, COUNT_RUNS);
		record = ring_reserve(ring, length, false);
		if (!record) {
			count(ring, DROP_RING_FULL);
			continue;
		}
		record->head.kind = RECORD_MESSAGE;
		record->head.direction = i & 1;
		record->head.captured = payload;
		record->head.index = request->index;
		record->head.generation = request->generation;
		record->head.flags = FLAG_START;
		record->head.time = bpf_ktime_get_ns();
		record->last_time = 0;
		record->tx = 0;
		record->rx = 0;
		record->size = payload;
		record->number = i + 1;
		record->turn = i + 1;
		record->tgid = 0;
		record->tid = 0;
		record->queue = 0;
		count(ring, COUNT_MESSAGES);
		ring_commit(ring, &record->head, length);
		done++;
	}
	return done;
}
