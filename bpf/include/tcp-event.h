/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What went wrong on the network, one record each: written at once, but at most `tcp_event_pace` a second, kind and
 * CPU. What is beyond that pace is counted, and is in the totals that tcp records and the map `tcp_drops` carry.
 */
#ifndef SONDE_TCP_EVENT_H
#define SONDE_TCP_EVENT_H

#include "life-record.h"

#define NS_PER_SECOND 1000000000ULL

const volatile __u32 tcp_event_pace = 1000;

struct pace {
	__u64 start;
	__u32 count;
	__u32 padding;
};

/* How many events of a kind a CPU has told of since the second began. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TCP_EVENT_WINDOW_OPEN + 1);
	__type(key, __u32);
	__type(value, struct pace);
} event_paces SEC(".maps");

/* What a tcp_event_record tells. Ports in network order. */
struct happening {
	__u32 event;
	__u32 cause;
	__u32 number;
	__u32 amount;
	__u32 netns;
	__u32 index;
	__u16 generation;
	__u16 local_port;
	__u16 remote_port;
	__u8 family;
	__u8 state;
	__u8 local_address[16];
	__u8 remote_address[16];
};

/* What went wrong on a socket so far; few ever have it. */
struct trouble {
	__u32 retransmits; /* events so far, of each kind */
	__u32 loss_probes;
	__u32 resets_sent;
	__u32 resets_received;
	__u32 drops;
	__u32 zero_windows;
	__u32 zero_edge; /* rcv_nxt when the window was first seen closed */
	__u32 padding;
	__u64 zero_since; /* ns: the receive window is closed since then; 0 if it is not */
	__u64 zero_seen;  /* ns: and was last seen so then */
	__u64 zero_us;    /* in periods that are over */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct trouble);
} troubles SEC(".maps");

/* Makes it on first use. NULL if the socket is not followed, or there is no memory. */
static __always_inline struct trouble *trouble_of(struct sock *sk, struct sock_state *state)
{
	struct trouble *trouble;

	if (!state)
		return NULL;
	trouble = bpf_sk_storage_get(&troubles, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (trouble)
		state->troubled = 1;
	return trouble;
}

/* NULL if there was none. */
static __always_inline struct trouble *known_trouble(struct sock *sk, const struct sock_state *state)
{
	return state->troubled ? bpf_sk_storage_get(&troubles, sk, 0, 0) : NULL;
}

static __always_inline bool is_beyond_pace(__u32 event, __u64 now)
{
	struct pace *pace = bpf_map_lookup_elem(&event_paces, &event);

	if (!pace)
		return false;
	if (now - pace->start >= NS_PER_SECOND) {
		pace->start = now;
		pace->count = 0;
	}
	return __sync_fetch_and_add(&pace->count, 1) >= tcp_event_pace;
}

__noinline int report_happening(struct happening *what)
{
	struct ring_header *ring = this_ring();
	struct tcp_event_record *record;
	__u64 now;

	if (!ring || !what)
		return 0;
	now = bpf_ktime_get_ns();
	count(ring, TCP_EVENTS);
	if (is_beyond_pace(what->event, now)) {
		count(ring, TCP_EVENTS_PACED);
		return 0;
	}
	record = ring_reserve(ring, sizeof(*record), true);
	if (!record) {
		count(ring, RING_LIFE_FULL);
		return 0;
	}
	record->head.kind = RECORD_TCP_EVENT;
	record->head.direction = 0;
	record->head.captured = 0;
	record->head.index = what->index;
	record->head.generation = what->generation;
	record->head.flags = 0;
	record->head.time = now;
	record->event = what->event;
	record->cause = what->cause;
	record->number = what->number;
	record->amount = what->amount;
	record->netns = what->netns;
	record->local_port = what->local_port;
	record->remote_port = what->remote_port;
	__builtin_memcpy(record->local_address, what->local_address, 16);
	__builtin_memcpy(record->remote_address, what->remote_address, 16);
	record->family = what->family;
	record->state = what->state;
	count(ring, TCP_EVENTS_WRITTEN);
	count(ring, RING_LIFE);
	ring_commit(&record->head, sizeof(*record));
	return 1;
}

/* Whose socket it is: 0 and 0 if it has no index, which is so until it is announced. */
static __always_inline void at_socket(struct happening *what, const struct sock *sk, const struct sock_state *state)
{
	__u16 family = sk->__sk_common.skc_family;

	what->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	/* Not skc_num: that is 0 again when the socket has closed. */
	what->local_port = BPF_CORE_READ((const struct inet_sock *)sk, inet_sport);
	what->remote_port = sk->__sk_common.skc_dport;
	copy_addresses(sk, what->local_address, what->remote_address, family);
	what->family = family == AF_INET ? 4 : 6;
	what->state = sk->__sk_common.skc_state;
	if (state && state->phase == PHASE_ANNOUNCED) {
		what->index = state->index;
		what->generation = state->generation;
	}
}

static __always_inline bool is_tcp_off(void)
{
	return is_off(SWITCHED_CAPTURE | SWITCHED_TCP);
}

/* Whether events of this connection are none of the user's business: switched off, filtered, or the probe's own. */
static __always_inline bool is_hidden(const struct happening *what, const struct sock_state *state)
{
	if (is_tcp_off())
		return true;
	if (state) {
		if (state->phase == PHASE_ANNOUNCED)
			return false;
		if (state->phase == PHASE_HIDDEN || state->phase == PHASE_MUTED)
			return true;
		if (state->tgid && state->tgid == self_tgid)
			return true;
	}
	if (!filter_use)
		return false;
	if (port_filtered(bpf_ntohs(what->local_port), bpf_ntohs(what->remote_port)))
		return true;
	if (state && state->tgid)
		return owner_filtered(state->tgid, state->cgroup_id);
	/* Nobody knows whose it is: not what only some are to be seen of. */
	return (filter_use & (FILTER_TGIDS_INCLUDE | FILTER_CGROUPS_INCLUDE)) != 0;
}

#endif
