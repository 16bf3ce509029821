/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Who waits to be accepted? User space runs `sonde_listeners` with each sweep. */
#include "include/listener.h"
#include "include/tcp-event.h"

SEC("iter/bpf_sk_storage_map")
int sonde_listeners(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct ring_header *ring = this_ring();
	struct listener *listener = ctx->value;
	struct listener_record *record;
	struct sock *sk = ctx->sk;
	__u16 family;

	if (!ring || !listener || !sk || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	if (is_tcp_off() || listener->tgid == self_tgid || port_filtered(local_port(sk), 0) ||
	    owner_filtered(listener->tgid, listener->cgroup_id))
		return 0;
	record = ring_reserve(ring, sizeof(*record), true);
	if (!record) {
		count(ring, RING_LIFE_FULL);
		return 0;
	}
	family = sk->__sk_common.skc_family;
	record->head.kind = RECORD_LISTENER;
	record->head.direction = 0;
	record->head.captured = 0;
	record->head.index = 0;
	record->head.generation = 0;
	record->head.flags = 0;
	record->head.time = bpf_ktime_get_ns();
	record->cookie = listener->cookie;
	record->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	record->backlog = sk->sk_ack_backlog;
	record->max_backlog = sk->sk_max_ack_backlog;
	record->drops = bpf_core_field_exists(sk->sk_drops) ? sk->sk_drops.counter : 0;
	record->tgid = listener->tgid;
	record->port = bpf_htons(local_port(sk));
	record->family = family == AF_INET ? 4 : 6;
	__builtin_memset(record->address, 0, sizeof(record->address));
	if (family == AF_INET)
		*(__be32 *)record->address = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	else
		BPF_CORE_READ_INTO((struct in6_addr *)record->address, sk, __sk_common.skc_v6_rcv_saddr);
	__builtin_memcpy(record->comm, listener->comm, sizeof(record->comm));
	count(ring, RING_LIFE);
	ring_commit(&record->head, sizeof(*record));
	return 0;
}

/* Those that listened before the probe was there: run once. Of several processes the first one has it. */
SEC("iter/task_file")
int sonde_find_listeners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct listener *listener;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || sk->__sk_common.skc_state != TCP_LISTEN || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return 0;
	if (bpf_sk_storage_get(&listeners, sk, 0, 0))
		return 0;
	listener = bpf_sk_storage_get(&listeners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!listener)
		return 0;
	listener->cookie = bpf_get_socket_cookie(sk);
	listener->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	listener->tgid = task->tgid;
	BPF_CORE_READ_STR_INTO(&listener->comm, task, group_leader, comm);
	return 0;
}
