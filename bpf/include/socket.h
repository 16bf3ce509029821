/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What is kept for each TCP socket, in socket storage: made on first use, freed with the socket. And the
 * records of a socket's life (open, owner, totals, close).
 */
#ifndef SONDE_SOCKET_H
#define SONDE_SOCKET_H

#include "filter.h"
#include "kernel.h"
#include "record.h"
#include "ring.h"

#define DIRECTION_NONE 2

enum socket_phase {
	PHASE_NEW = 0,       /* storage made, not initialised */
	PHASE_CLAIMED = 1,   /* somebody initialises it right now */
	PHASE_HIDDEN = 2,    /* filtered, or the probe's own */
	PHASE_READY = 3,     /* not announced yet */
	PHASE_ANNOUNCED = 4, /* has an index, and its open record was written */
	PHASE_MUTED = 5,     /* was announced; now a process uses it that is filtered */
	PHASE_OVER = 6,      /* its close record was written (or lost): the index is gone */
};

struct sock_state {
	/* What each call touches: 56 bytes, which share a cache line with the storage's own header. */
	__u32 phase;
	__u32 index;
	__u32 tgid;
	__u32 tx;
	__u32 rx_base;
	__u32 number;
	__u32 turn;
	__u32 rx; /* as the last call left it */
	__u16 generation;
	__u8 direction;
	__u8 role;
	__u32 announcing; /* 1 while its open record is being written, and from then on */
	__u64 last_send;
	__u64 last_receive;
	/* What the rest of a connection's life touches. */
	__u32 rx_final;    /* rx when the socket closed: disconnect() spoils copied_seq */
	__u32 reported_tx; /* what the last totals record said */
	__u32 reported_rx;
	__u32 reported_number;
	__u32 swept_rx; /* the stream position that the last sweep found */
	__u32 reported_turn;
	__u32 message_start; /* while no policy is set: stream position at which the message began */
	__u32 mmsg_tid;      /* progress of a sendmmsg or recvmmsg: see payload.h */
	__u32 mmsg_count;
	__u32 mmsg_size;
	__u16 error;
	__u8 reason;
	__u8 joined;
	__u64 mmsg_vector;
	__u64 address; /* of the struct sock, for what is verified apart from the hooks */
	__u64 cookie;
	__u64 cgroup_id;
	__u64 connect_started; /* of an accepted one: when it was established */
	__u64 connect_ns;
	__u64 arrived; /* precise queue time: when the last segment before the first receive came in */
	__u8 comm[16];
	/* How TCP fares: see tcp-quality.h and tcp-event.h. */
	__u32 reported_segments; /* in and out, as the last tcp record said */
	__u8 established;        /* 1 once it was */
	__u8 troubled;           /* 1 if there is a `troubles` entry */
	__u16 padding;
};

/* With the 72 bytes that the kernel puts before it, it takes 256; one more and it would take 512, for each socket. */
_Static_assert(sizeof(struct sock_state) <= 184, "sock_state takes 512 bytes a socket");

const volatile __u32 max_connections = 65536;
const volatile __u32 default_policy = POLICY_STREAM;

/* Learned by the program `self`: in a PID namespace the probe does not know its own tgid. */
__u32 self_tgid = 0;
__u32 next_index = 0;

/* What user space has switched off (enum switched), through the program sonde_switch. */
__u32 switched_off = 0;

static __always_inline bool is_off(__u32 parts)
{
	return *(volatile __u32 *)&switched_off & parts;
}

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct sock_state);
} sockets SEC(".maps");

/* One word a socket, written by user space through a mapping: generation << 16 | POLICY_SET | policy. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u32);
} policies SEC(".maps");

/* Indexes that were given back, with the generation that comes next: generation << 32 | index. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 65536);
	__uint(value_size, sizeof(__u64));
} free_indexes SEC(".maps");

/* Only sockets that become visible take an index; a generation of 0 says that there is none. */
static __always_inline bool take_index(struct sock_state *state)
{
	__u64 slot;
	__u32 index;

	if (state->generation)
		return true;
	if (bpf_map_pop_elem(&free_indexes, &slot) == 0) {
		state->index = (__u32)slot;
		state->generation = (__u16)(slot >> 32);
		return true;
	}
	if (next_index >= max_connections)
		return false;
	index = __sync_fetch_and_add(&next_index, 1);
	if (index >= max_connections)
		return false;
	state->index = index;
	state->generation = 1;
	return true;
}

static __always_inline void give_index_back(struct sock_state *state)
{
	__u16 next = state->generation + 1;
	__u64 slot = (__u64)(next ? next : 1) << 32 | state->index;

	if (!state->generation)
		return;
	state->generation = 0;
	bpf_map_push_elem(&free_indexes, &slot, BPF_ANY);
}

static __always_inline __u16 local_port(const struct sock *sk)
{
	return sk->__sk_common.skc_num;
}

static __always_inline __u16 remote_port(const struct sock *sk)
{
	return bpf_ntohs(sk->__sk_common.skc_dport);
}

/* Bytes the application has taken since the socket was first seen: `copied_seq` without the peer's FIN. */
static __always_inline __u32 received(const struct sock *sk, const struct tcp_sock *tp, const struct sock_state *state)
{
	__u32 copied = tp->copied_seq;

	if ((sk->__sk_common.skc_flags & (1UL << SOCK_DONE)) && copied == tp->rcv_nxt)
		copied -= 1;
	return copied - state->rx_base;
}

/* The process's name: threads may have names of their own, and would look like so many processes. */
static __always_inline void copy_comm(__u8 *comm)
{
	struct task_struct *task = bpf_get_current_task_btf();

	bpf_probe_read_kernel_str(comm, 16, &task->group_leader->comm);
}

__noinline int remember_owner(struct sock_state *state, __u32 tgid)
{
	if (!state)
		return 0;
	state->tgid = tgid;
	state->cgroup_id = bpf_get_current_cgroup_id();
	copy_comm(state->comm);
	return 0;
}

static __always_inline struct sock_state *socket_state(const struct sock *sk)
{
	return bpf_sk_storage_get(&sockets, (void *)sk, 0, 0);
}

/*
 * Makes the state of a socket; an initialised one is returned as it is. A new one is CLAIMED: who asked for
 * it fills it and then calls publish. NULL if there is no memory, or another CPU initialises it right now.
 */
static __always_inline struct sock_state *make_state(struct sock *sk)
{
	struct sock_state *state = bpf_sk_storage_get(&sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	/* Also where another CPU has made it in this moment. */
	if (!state)
		state = socket_state(sk);
	if (!state)
		return NULL;
	if (state->phase >= PHASE_HIDDEN)
		return state;
	if (__sync_val_compare_and_swap(&state->phase, PHASE_NEW, PHASE_CLAIMED) != PHASE_NEW)
		return NULL;
	state->address = (__u64)sk;
	state->cookie = bpf_get_socket_cookie(sk);
	state->direction = DIRECTION_NONE;
	return state;
}

static __always_inline void publish(struct sock_state *state)
{
	asm volatile("" ::: "memory");
	if (state->phase == PHASE_CLAIMED)
		state->phase = PHASE_READY;
}

/* Whether it is known who uses the socket, as far as filters ask for it: an accepted one belongs to whoever reads. */
static __always_inline bool owner_settled(const struct sock_state *state)
{
	return state->tgid || !(filter_use & (FILTER_TGIDS | FILTER_CGROUPS));
}

/* Re-evaluated when the owner changes: an include list by process lets a socket appear later. */
__noinline int apply_filter(struct sock_state *state, __u16 local_port, __u16 remote_port)
{
	if (!state || !filter_use)
		return 0;
	if (port_filtered(local_port, remote_port) || owner_filtered(state->tgid, state->cgroup_id)) {
		if (state->phase == PHASE_READY)
			state->phase = PHASE_HIDDEN;
		else if (state->phase == PHASE_ANNOUNCED)
			state->phase = PHASE_MUTED;
	} else if (state->phase == PHASE_HIDDEN) {
		state->phase = PHASE_READY;
	} else if (state->phase == PHASE_MUTED) {
		state->phase = PHASE_ANNOUNCED;
	}
	return 0;
}

#endif
