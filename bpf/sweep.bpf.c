/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What changed on sockets since their last record? User space runs this iterator about once a second; it
 * writes totals and tcp records for those sockets only, and announces the ones that have not talked yet.
 *
 * A call may run on another CPU at this moment. It stores its time first and its totals after; so a sweep
 * that reads the totals first and finds that the time is not recent has read them whole. A socket with a
 * recent call is left to the next sweep, unless it is certain that the call does not begin a message.
 */
#include "include/life-record.h"
#include "include/tcp-quality.h"

#define RECENT_NS 10000000ULL
/* A socket that came about is announced by its first call, which says whose it is; without one after so long. */
#define SILENT_NS 2000000000ULL

/* Whether what was read may be half of a call's work, or will be told by a message record anyway. */
static __always_inline bool is_between(const struct sock_state *state, const struct totals *totals, __u8 direction)
{
	__u32 index = state->index; /* 6.1 takes no key from the iterator's memory */
	__u32 *word = bpf_map_lookup_elem(&policies, &index);
	__u32 policy = word && *word >> 16 == state->generation && (*word & POLICY_SET) ? *word : default_policy;
	__u8 newest = state->last_send > state->last_receive ? DIRECTION_SEND : DIRECTION_RECEIVE;

	/*
	 * No message record will tell, and a busy socket would be left out for ever. Half a call's work shows in
	 * what follows it.
	 */
	if ((policy & POLICY_MASK) == POLICY_COUNT)
		return newest != direction || *(volatile __u32 *)&state->turn != totals->turn;
	return (policy & POLICY_MASK) == POLICY_STREAM || totals->number != state->reported_number ||
	       totals->turn != state->reported_turn || newest != direction;
}

SEC("iter/bpf_sk_storage_map")
int sonde_sweep(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock_state *state = ctx->value;
	struct sock *sk = ctx->sk;
	struct totals totals;
	struct ring_header *ring = this_ring();
	struct tcp_sock *tp;
	__u64 now, last;
	__u8 direction;
	__u32 live;

	if (!state || !sk || !ring)
		return 0;
	/* A young one is left to its first call. Thousands that were open before the probe do not crowd out what
	 * happens now: the next sweep goes on. */
	if (state->phase == PHASE_READY && state->established && owner_settled(state) && ring_has_time(ring) &&
	    bpf_ktime_get_ns() - state->connect_started > SILENT_NS && sk->__sk_common.skc_state == TCP_ESTABLISHED)
		announce(state);
	if (state->phase != PHASE_ANNOUNCED)
		return 0;
	tp = tcp_of(sk);
	if (!tp)
		return 0;
	sweep_quality(sk, state, tp);
	totals.number = *(volatile __u32 *)&state->number;
	totals.turn = *(volatile __u32 *)&state->turn;
	direction = *(volatile __u8 *)&state->direction;
	totals.rx = *(volatile __u32 *)&state->rx;
	totals.tx = *(volatile __u32 *)&state->tx;
	last = *(volatile __u64 *)&state->last_send;
	if (*(volatile __u64 *)&state->last_receive > last)
		last = state->last_receive;
	/* A read moves the stream position before its hook runs; splice moves it with no hook at all. */
	live = state->reason ? state->rx_final : received(sk, tp, state);
	if (live == state->swept_rx)
		totals.rx = live;
	state->swept_rx = live;
	if (totals.tx == state->reported_tx && totals.rx == state->reported_rx &&
	    totals.number == state->reported_number)
		return 0;
	now = bpf_ktime_get_ns();
	if (now - last < RECENT_NS && is_between(state, &totals, direction))
		return 0;
	if (report_totals(state, RECORD_TOTALS, now, &totals)) {
		state->reported_tx = totals.tx;
		state->reported_rx = totals.rx;
		state->reported_number = totals.number;
		state->reported_turn = totals.turn;
	}
	return 0;
}
