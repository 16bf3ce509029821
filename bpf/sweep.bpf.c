/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What changed on sockets since their last record? User space runs this iterator about once a second; it
 * writes totals for those sockets only, and announces the ones that have not talked yet.
 */
#include "include/socket.h"

SEC("iter/bpf_sk_storage_map")
int sonde_sweep(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock_state *state = ctx->value;
	struct sock *sk = ctx->sk;
	struct tcp_sock *tp;
	__u32 rx;

	if (!state || !sk)
		return 0;
	if (state->phase == PHASE_READY && state->established && sk->__sk_common.skc_state == TCP_ESTABLISHED)
		announce(state);
	if (state->phase != PHASE_ANNOUNCED)
		return 0;
	tp = tcp_of(sk);
	if (!tp)
		return 0;
	rx = state->reason ? state->rx_final : received(sk, tp, state);
	if (state->tx == state->reported_tx && rx == state->reported_rx && state->number == state->reported_number)
		return 0;
	if (report_totals(state, RECORD_TOTALS, bpf_ktime_get_ns(), rx)) {
		state->reported_tx = state->tx;
		state->reported_rx = rx;
		state->reported_number = state->number;
	}
	return 0;
}
