/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Programs that user space runs by BPF_PROG_RUN; nothing is attached. */
#include "include/socket.h"
#include "include/tcp-quality.h"

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

/* How long a jiffy is, ns: the one thing about its clocks that the kernel does not say. */
SEC("syscall")
int sonde_tick(__u64 *ns)
{
	tick_ns = *ns;
	return 0;
}

struct produce_request {
	__u32 records;
	__u32 payload; /* bytes, less than 1024 */
};

struct produce_state {
	__u32 payload;
	__u32 done;
};

static long produce_one(__u32 at, void *context)
{
	struct produce_state *state = context;
	__u32 length = record_length(sizeof(struct message_record), state->payload & 1023);
	struct ring_header *ring = this_ring();
	struct message_record *record;

	if (!ring)
		return 1;
	count(ring, COUNT_RUNS);
	record = ring_reserve(ring, length, false);
	if (!record) {
		count(ring, DROP_RING_FULL);
		return 0;
	}
	record->head.kind = RECORD_MESSAGE;
	record->head.direction = at & 1;
	record->head.captured = state->payload;
	record->head.index = 0;
	record->head.generation = 1;
	record->head.flags = FLAG_START;
	record->head.time = bpf_ktime_get_ns();
	record->last_time = 0;
	record->tx = 0;
	record->rx = 0;
	record->size = state->payload;
	record->number = at + 1;
	record->turn = at + 1;
	record->tgid = 0;
	record->tid = 0;
	record->queue = 0;
	count(ring, COUNT_MESSAGES);
	ring_commit(&record->head, length);
	state->done++;
	return 0;
}

/* Test producer: exact message records through the real ring. Returns how many found room. */
SEC("syscall")
int sonde_produce(struct produce_request *request)
{
	struct produce_state state = {.payload = request->payload & 1023};

	bpf_loop(request->records, produce_one, &state, 0);
	return state.done;
}
