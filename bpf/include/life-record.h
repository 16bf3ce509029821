/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The records of a socket's life: how it was announced, whose it became, how its counters stand, how it ended. */
#ifndef SONDE_LIFE_RECORD_H
#define SONDE_LIFE_RECORD_H

#include "socket.h"

static __always_inline void copy_addresses(const struct sock *sk, __u8 *local, __u8 *remote, __u16 family)
{
	__builtin_memset(local, 0, 16);
	__builtin_memset(remote, 0, 16);
	if (family == AF_INET) {
		*(__be32 *)local = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
		*(__be32 *)remote = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO((struct in6_addr *)local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)remote, sk, __sk_common.skc_v6_daddr);
	}
}

/* Fills what all records of a socket begin with; length stays 0 until ring_commit. */
static __always_inline void fill_head(struct record_head *head, const struct sock_state *state, __u8 kind, __u64 time)
{
	head->kind = kind;
	head->direction = 0;
	head->captured = 0;
	head->index = state->index;
	head->generation = state->generation;
	head->flags = 0;
	head->time = time;
}

/* What the counters of a socket said at one moment. */
struct totals {
	__u32 tx;
	__u32 rx;
	__u32 number;
	__u32 turn;
};

__noinline int report_totals(struct sock_state *state, __u8 kind, __u64 time, struct totals *totals)
{
	struct ring_header *ring = this_ring();
	struct totals_record *record;

	if (!ring || !state || !totals)
		return 0;
	record = ring_reserve(ring, sizeof(*record), true);
	if (!record) {
		count(ring, RING_LIFE_FULL);
		return 0;
	}
	fill_head(&record->head, state, kind, time);
	record->last_send = state->last_send;
	record->last_receive = state->last_receive;
	record->tx = totals->tx;
	record->rx = totals->rx;
	record->number = totals->number;
	record->turn = totals->turn;
	record->last_direction = state->direction;
	record->reason = state->reason;
	record->error = state->error;
	record->cookie = state->cookie;
	count(ring, RING_LIFE);
	ring_commit(&record->head, sizeof(*record));
	return 1;
}

/* Its close record, and its index is free for another. Only for sockets that were announced, once. */
static __always_inline void report_close(struct sock_state *state, __u64 now, __u32 rx)
{
	struct totals totals = {.tx = state->tx, .rx = rx, .number = state->number, .turn = state->turn};
	struct ring_header *ring = this_ring();

	report_totals(state, RECORD_CLOSE, now, &totals);
	if (ring)
		count(ring, SOCKETS_CLOSED);
	give_index_back(state);
}

/* Announcing it has failed: it may be tried again, unless the socket is over. Then its index is free for another. */
static __always_inline void let_go(struct sock_state *state)
{
	*(volatile __u32 *)&state->announcing = 0;
	if (*(volatile __u32 *)&state->phase == PHASE_OVER &&
	    __sync_val_compare_and_swap(&state->announcing, 0, 1) == 0)
		give_index_back(state);
}

/* How often a call looks whether another CPU has announced its socket: longer than writing a record takes. */
#define ANNOUNCE_LOOKS 512

/*
 * Writes the open record of a socket. 0 if there was no index, or no room in the ring: then it is tried again
 * with the next record. A call, the sweep and the close may come here at once, on several CPUs: one of them writes it.
 * A global function, as all that are off the hot path: the verifier reads it once.
 */
__noinline int announce(struct sock_state *state)
{
	const struct sock *sk;
	struct ring_header *ring = this_ring();
	struct open_record *record;
	__u16 family;
	__u32 phase;

	if (!ring || !state || is_off(SWITCHED_CAPTURE))
		return 0;
	if (__sync_val_compare_and_swap(&state->announcing, 0, 1)) {
		for (int i = 0; i < ANNOUNCE_LOOKS; i++) {
			if (*(volatile __u32 *)&state->phase == PHASE_ANNOUNCED)
				return 1;
			if (!*(volatile __u32 *)&state->announcing)
				break;
		}
		return 0;
	}
	if (!take_index(state)) {
		count(ring, TABLE_FULL);
		let_go(state);
		return 0;
	}
	record = ring_reserve(ring, sizeof(*record), true);
	if (!record) {
		count(ring, RING_LIFE_FULL);
		let_go(state);
		return 0;
	}
	sk = (const struct sock *)state->address;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	/* Not when it was established: this index may have been another socket's since then. */
	fill_head(&record->head, state, RECORD_OPEN, bpf_ktime_get_ns());
	if (state->joined)
		record->head.flags = FLAG_JOINED;
	record->cookie = state->cookie;
	record->connect_ns = state->connect_ns;
	record->cgroup_id = state->cgroup_id;
	record->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	record->tgid = state->tgid;
	record->tid = 0;
	record->tx = state->tx;
	record->rx = state->rx;
	record->number = state->number;
	record->turn = state->turn;
	/* Not skc_num: that is 0 again when a connect has failed. */
	record->local_port = BPF_CORE_READ((const struct inet_sock *)sk, inet_sport);
	record->remote_port = BPF_CORE_READ(sk, __sk_common.skc_dport);
	copy_addresses(sk, record->local_address, record->remote_address, family);
	__builtin_memcpy(record->comm, state->comm, sizeof(record->comm));
	record->family = family == AF_INET ? 4 : 6;
	record->role = state->role;
	count(ring, SOCKETS_OPENED);
	count(ring, RING_LIFE);
	phase = __sync_val_compare_and_swap(&state->phase, PHASE_READY, PHASE_ANNOUNCED);
	if (phase == PHASE_HIDDEN)
		phase = __sync_val_compare_and_swap(&state->phase, PHASE_HIDDEN, PHASE_MUTED);
	ring_commit(&record->head, sizeof(*record));
	/* It came to its end meanwhile, and whoever ended it left the rest to this. */
	if (phase == PHASE_OVER)
		report_close(state, bpf_ktime_get_ns(), state->rx_final);
	return phase == PHASE_READY;
}

__noinline int report_owner(struct sock_state *state, __u64 time)
{
	struct ring_header *ring = this_ring();
	struct owner_record *record;

	if (!ring || !state)
		return 0;
	record = ring_reserve(ring, sizeof(*record), true);
	if (!record) {
		count(ring, RING_LIFE_FULL);
		return 0;
	}
	fill_head(&record->head, state, RECORD_OWNER, time);
	record->cgroup_id = state->cgroup_id;
	record->tgid = state->tgid;
	record->tid = (__u32)bpf_get_current_pid_tgid();
	__builtin_memcpy(record->comm, state->comm, sizeof(record->comm));
	count(ring, RING_LIFE);
	ring_commit(&record->head, sizeof(*record));
	return 1;
}

#endif
