/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * UDP: a record a datagram. There is no state; the peer is known where the socket is connected or where
 * the sender names it. In the receive hook of an unconnected socket it is not: the kernel fills the
 * caller's address after the hook.
 */
#ifndef SONDE_DATAGRAM_H
#define SONDE_DATAGRAM_H

struct user_sockaddr {
	__u16 family;
	__be16 port;
	__be32 address4; /* IPv6: flow information */
	__u8 address6[16];
};

/* The destination that a sender passed with its call; family 0 if it passed none. */
static __always_inline void destination_of(struct user_sockaddr *peer)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;
	__u64 name = 0;

	__builtin_memset(peer, 0, sizeof(*peer));
	if ((task->flags & (PF_KTHREAD | PF_IO_WORKER)) || task->io_uring || (task->thread_info.status & TS_COMPAT))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (regs->orig_ax == NR_sendto)
		name = regs->r8;
	else if (regs->orig_ax == NR_sendmsg)
		bpf_probe_read_user(&name, sizeof(name), (void *)regs->si);
	if (name && bpf_probe_read_user(peer, sizeof(*peer), (void *)name))
		bpf_probe_read_user(peer, 16, (void *)name);
}

static __always_inline int on_datagram(struct ring_header *ring, struct sock *sk, int ret, int direction,
				       struct task_struct *task, __u32 off)
{
	__u32 tgid = task->tgid, wanted = ret, captured = 0, length;
	__u16 family = sk->__sk_common.skc_family, port = sk->__sk_common.skc_dport;
	struct datagram_record *record;
	struct user_sockaddr peer;
	struct user_buffer buffer;

	if (tgid == self_tgid) {
		count_call(ring, SKIP_SELF);
		return 0;
	}
	__builtin_memset(&peer, 0, sizeof(peer));
	if (!port && direction == DIRECTION_SEND) {
		destination_of(&peer);
		if (peer.family == AF_INET || peer.family == AF_INET6)
			port = peer.port;
	}
	if (filter_use &&
	    (port_filtered(local_port(sk), bpf_ntohs(port)) || owner_filtered(tgid, bpf_get_current_cgroup_id()))) {
		count_call(ring, SKIP_FILTERED);
		return 0;
	}
	if (wanted > payload_bytes)
		wanted = payload_bytes;
	if (wanted > PAYLOAD_MAX)
		wanted = PAYLOAD_MAX;
	if ((off & SWITCHED_PAYLOAD) || !is_users(sk) || !find_buffer(&buffer, task, NULL, ret))
		wanted = 0;
	length = record_length(sizeof(*record), wanted);
	record = ring_reserve(ring, length, false);
	if (!record) {
		count_call(ring, DROP_RING_FULL);
		return 0;
	}
	if (wanted)
		captured = copy_payload(record + 1, &buffer, wanted, wanted);
	record->head.kind = RECORD_DATAGRAM;
	record->head.direction = direction;
	record->head.captured = captured;
	record->head.index = 0xffffffff;
	record->head.generation = 0;
	record->head.flags = captured ? 0 : FLAG_NO_PAYLOAD;
	record->head.time = bpf_ktime_get_ns();
	record->cookie = bpf_get_socket_cookie(sk);
	record->cgroup_id = bpf_get_current_cgroup_id();
	record->size = ret;
	record->tgid = tgid;
	record->tid = task->pid;
	record->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	record->local_port = bpf_htons(local_port(sk));
	record->remote_port = port;
	copy_addresses(sk, record->local_address, record->remote_address, family);
	if (peer.family == AF_INET) {
		__builtin_memset(record->remote_address, 0, 16);
		__builtin_memcpy(record->remote_address, &peer.address4, 4);
	} else if (peer.family == AF_INET6) {
		__builtin_memcpy(record->remote_address, peer.address6, 16);
	}
	copy_comm(record->comm);
	record->family = family == AF_INET ? 4 : 6;
	if (!captured)
		count_call(ring, off & SWITCHED_PAYLOAD ? PAYLOAD_OFF : PAYLOAD_UNREADABLE);
	count_call(ring, COUNT_MESSAGES);
	ring_commit(&record->head, length);
	return 0;
}

#endif
