/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Sockets that listen, in every network namespace: a storage of their own, so that looking at them each second does
 * not mean to walk all connections (as iter/tcp would, and in one network namespace only).
 */
#ifndef SONDE_LISTENER_H
#define SONDE_LISTENER_H

#include "socket.h"

const volatile __u8 tcp_listeners = 0;

/* Who called listen(). */
struct listener {
	__u64 cookie;
	__u64 cgroup_id;
	__u32 tgid;
	__u8 comm[16];
	__u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct listener);
} listeners SEC(".maps");

/* In listen(): `current` is the caller. */
static __always_inline void on_listen(struct sock *sk)
{
	struct listener *listener;

	if (!tcp_listeners)
		return;
	listener = bpf_sk_storage_get(&listeners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!listener)
		return;
	listener->cookie = bpf_get_socket_cookie(sk);
	listener->cgroup_id = bpf_get_current_cgroup_id();
	listener->tgid = bpf_get_current_pid_tgid() >> 32;
	copy_comm(listener->comm);
}

#endif
