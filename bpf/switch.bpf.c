/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What is looked at may be switched while the programs run: by a word in memory that the hooks read, so that nothing
 * is attached anew. Sockets must not be followed across a time in which they were not seen: when capture was switched
 * off, user space has this iterator forget them all, and once it is on again they are joined as those are that were
 * open before the probe.
 */
#include "include/tcp-event.h"

struct switch_request {
	__u32 off; /* enum switched */
	__u32 padding;
};

/* From here on, on every CPU, but for calls that are under way. */
SEC("syscall")
int sonde_switch(struct switch_request *request)
{
	switched_off = request->off;
	return 0;
}

/* Ends the record of every socket. Run while capture is off and no hook is under way. */
SEC("iter/bpf_sk_storage_map")
int sonde_forget(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock_state *state = ctx->value;
	struct sock *sk = ctx->sk;
	struct tcp_sock *tp;
	__u32 rx;

	if (!state || !sk || !is_off(SWITCHED_CAPTURE))
		return 0;
	tp = tcp_of(sk);
	rx = state->rx_final;
	if (tp && !state->reason)
		rx = received(sk, tp, state);
	if (!state->reason)
		state->reason = CLOSE_SWITCHED_OFF;
	finish(sk, state, bpf_ktime_get_ns(), rx);
	bpf_sk_storage_delete(&troubles, sk);
	if (state->phase == PHASE_OVER)
		__builtin_memset(state, 0, sizeof(*state));
	return 0;
}
