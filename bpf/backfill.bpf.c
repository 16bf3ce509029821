/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What was connected before the probe came? User space runs these two iterators once, when the hooks are
 * attached: the files of all processes tell who holds which socket, and the kernel's table of sockets tells
 * of connections that wait to be accepted, which nobody holds.
 *
 * A state enters the storage whole, in one step: a call on another CPU finds all of it or nothing, and
 * whichever of the two comes first stays. Its counters begin at 0: what moved before is not counted. A read
 * that took its bytes before, and whose hook runs after, moves rx_base back by them (see on_call).
 */
#include "include/socket.h"

/* What is not found in this time is found at its next call. */
#define BACKFILL_NS 2000000000ULL

struct backfill_progress {
	__u64 started;
	__u32 found;
	__u32 left;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct backfill_progress);
} backfilled SEC(".maps");

/* Whether the socket is an open TCP connection of which nothing is known yet, and no port turns it away. */
static __always_inline bool is_news(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	if (sk->sk_protocol != IPPROTO_TCP || (family != AF_INET && family != AF_INET6))
		return false;
	switch (sk->__sk_common.skc_state) {
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
		return !port_filtered(local_port(sk), remote_port(sk)) && !socket_state(sk);
	}
	return false;
}

static __always_inline bool has_time(struct backfill_progress *progress)
{
	__u64 now = bpf_ktime_get_ns();

	if (!progress->started)
		progress->started = now;
	if (now - progress->started < BACKFILL_NS)
		return true;
	progress->left++;
	return false;
}

/* The rest of a state whose owner is filled in, and into the storage with it. */
static __always_inline void follow(struct sock *sk, struct sock_state *state, struct backfill_progress *progress)
{
	struct tcp_sock *tp = tcp_of(sk);

	if (!tp)
		return;
	state->role = sk->sk_max_ack_backlog ? ROLE_SERVER : ROLE_CLIENT;
	state->direction = DIRECTION_NONE;
	state->established = 1;
	state->address = (__u64)sk;
	state->cookie = bpf_get_socket_cookie(sk);
	state->rx_base = received(sk, tp, state); /* of a base of 0: the stream position */
	state->phase = PHASE_READY;
	if (bpf_sk_storage_get(&sockets, sk, state, BPF_SK_STORAGE_GET_F_CREATE))
		progress->found++;
}

SEC("iter/task_file")
int sonde_backfill_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct backfill_progress *progress;
	struct sock_state state = {};
	struct socket *socket;
	struct sock *sk;
	__u32 key = 0;

	/* Threads that share the files of their process do not come here. */
	if (!task || !file || (__u32)task->tgid == self_tgid)
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : NULL;
	if (!sk || !is_news(sk))
		return 0;
	progress = bpf_map_lookup_elem(&backfilled, &key);
	if (!progress || !has_time(progress))
		return 0;
	state.tgid = task->tgid;
	state.cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	if (owner_filtered(state.tgid, state.cgroup_id))
		return 0;
	BPF_CORE_READ_STR_INTO(&state.comm, task, group_leader, comm);
	state.joined = 1;
	follow(sk, &state, progress);
	return 0;
}

/* In the probe's own network namespace only; elsewhere such a connection is found at its first call. */
SEC("iter/tcp")
int sonde_backfill_waiting(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct backfill_progress *progress;
	struct sock_state state = {};
	struct tcp_sock *tp;
	struct sock *sk;
	__u32 key = 0;

	if (!common)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (!tp)
		return 0;
	sk = (struct sock *)tp;
	/* Neither accepted, nor left by its process. Nothing of it was read: it is seen from its beginning. */
	if (sk->sk_socket || sk->__sk_common.skc_flags & (1UL << SOCK_DEAD) || !is_news(sk))
		return 0;
	progress = bpf_map_lookup_elem(&backfilled, &key);
	if (progress && has_time(progress))
		follow(sk, &state, progress);
	return 0;
}
