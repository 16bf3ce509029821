/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * How did a connection come about, and how did it end? State changes tell who opened it, how long that
 * took, and why it closed; the destruction of the socket tells its final totals.
 * `current` is anybody here: the owner is whoever calls connect, and after that whoever reads or writes.
 */
#include "include/listener.h"
#include "include/life-record.h"
#include "include/tcp-quality.h"

/* The last record of a socket; its index may be used again after it. */
static __always_inline void finish(const struct sock *sk, struct sock_state *state, __u64 now, __u32 rx)
{
	__u32 phase;

	if (state->phase == PHASE_READY && owner_settled(state))
		announce(state);
	phase = state->phase;
	/* The socket may be destroyed while sonde_forget ends it on another CPU: one of them does it. */
	if (phase < PHASE_HIDDEN || phase == PHASE_OVER ||
	    __sync_val_compare_and_swap(&state->phase, phase, PHASE_OVER) != phase)
		return;
	if (phase == PHASE_ANNOUNCED || phase == PHASE_MUTED)
		report_close(state, now, rx);
	else if (__sync_val_compare_and_swap(&state->announcing, 0, 1) == 0)
		give_index_back(state); /* announcing it had failed; else whoever does so now ends it */
}

static __always_inline void on_connect(struct sock *sk, __u64 now)
{
	struct sock_state *state = socket_state(sk);

	/* A connection of that time is joined by its first call after it. */
	if (is_off(SWITCHED_CAPTURE))
		return;
	/* A socket that failed or was disconnected connects again: a new connection with a new index. */
	if (state && state->phase >= PHASE_HIDDEN) {
		finish(sk, state, now, state->rx_final);
		bpf_sk_storage_delete(&troubles, sk);
		__builtin_memset(state, 0, sizeof(*state));
	}
	state = make_state(sk);
	if (!state)
		return;
	state->role = ROLE_CLIENT;
	state->connect_started = now;
	remember_owner(state, bpf_get_current_pid_tgid() >> 32);
	state->phase = state->tgid == self_tgid ? PHASE_HIDDEN : PHASE_READY;
}

static __always_inline void on_established(struct sock *sk, int oldstate, __u64 now)
{
	struct sock_state *state;
	struct tcp_sock *tp = tcp_of(sk);

	if (is_off(SWITCHED_CAPTURE))
		return;
	state = make_state(sk);
	if (!state || !tp || state->established)
		return;
	state->established = 1;
	state->rx_base = tp->copied_seq;
	/* A simultaneous connect comes through SYN_RECV: it is a client's all the same. */
	if (state->connect_started) {
		state->role = ROLE_CLIENT;
		state->connect_ns = now - state->connect_started;
	} else {
		state->role = oldstate == TCP_SYN_SENT ? ROLE_CLIENT : ROLE_SERVER;
		state->connect_started = now;
	}
	publish(state);
	if (state->phase == PHASE_READY && port_filtered(local_port(sk), remote_port(sk)))
		state->phase = PHASE_HIDDEN;
	else if (state->phase == PHASE_READY && oldstate == TCP_SYN_SENT)
		apply_filter(state, local_port(sk), remote_port(sk));
}

static __always_inline __u8 reason_of(const struct sock *sk, int oldstate, const struct sock_state *state)
{
	int error = sk->sk_err;

	if (state->role == ROLE_CLIENT && state->connect_started && !state->established)
		return CLOSE_CONNECT_FAILED;
	if (error == ECONNRESET || error == EPIPE)
		return CLOSE_RESET_REMOTE;
	/* Retransmission ran out; a route that failed meanwhile lends its errno. */
	if (error && error != ECONNABORTED)
		return CLOSE_TIMEOUT;
	switch (oldstate) {
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_TIME_WAIT:
		return CLOSE_LOCAL;
	case TCP_LAST_ACK:
		return CLOSE_REMOTE;
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		return CLOSE_RESET_LOCAL;
	}
	return CLOSE_UNKNOWN;
}

static __always_inline void on_closed(struct sock *sk, int oldstate, __u64 now)
{
	struct sock_state *state = socket_state(sk);
	struct tcp_sock *tp;

	if (!state || state->phase == PHASE_OVER)
		return;
	state->reason = reason_of(sk, oldstate, state);
	state->error = (__u16)sk->sk_err;
	tp = tcp_of(sk);
	if (tp)
		state->rx_final = received(sk, tp, state);
	if (state->reason == CLOSE_CONNECT_FAILED) {
		state->connect_ns = now - state->connect_started;
		state->rx_final = 0;
		apply_filter(state, local_port(sk), remote_port(sk));
	}
	if (tp)
		close_quality(sk, state, tp, oldstate, now);
	if (state->reason == CLOSE_CONNECT_FAILED)
		finish(sk, state, now, 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(sonde_state, struct sock *sk, int oldstate, int newstate)
{
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	switch (newstate) {
	case TCP_SYN_SENT:
		on_connect(sk, bpf_ktime_get_ns());
		break;
	case TCP_ESTABLISHED:
		if (oldstate == TCP_SYN_SENT || oldstate == TCP_SYN_RECV)
			on_established(sk, oldstate, bpf_ktime_get_ns());
		break;
	case TCP_LISTEN:
		on_listen(sk);
		break;
	case TCP_CLOSE:
		if (oldstate != TCP_LISTEN)
			on_closed(sk, oldstate, bpf_ktime_get_ns());
		break;
	}
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(sonde_destroy, struct sock *sk)
{
	struct sock_state *state = socket_state(sk);
	struct tcp_sock *tp;
	__u32 rx;

	if (!state || state->phase == PHASE_OVER)
		return 0;
	tp = tcp_of(sk);
	rx = state->rx_final;
	/* The application may have read on after the close; but not after it reset the connection itself. */
	if (tp && state->reason != CLOSE_RESET_LOCAL)
		rx = received(sk, tp, state);
	finish(sk, state, bpf_ktime_get_ns(), rx);
	return 0;
}
