/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What did a process send and receive on its sockets? One body for both directions, attached to the two
 * tracepoints that every socket call passes. A socket's stream is cut into messages at each change of
 * direction; a message record is written when a message starts (policy headers) or at each call (policy
 * stream), and carries the socket's counters, so that no total depends on a record arriving.
 */
#include "include/payload.h"
#include "include/life-record.h"

const volatile __u32 payload_bytes = PAYLOAD_MAX;
const volatile __u8 queue_time = 1; /* 0 off, 1 coarse, 2 precise */
/*
 * Until user space has read a connection's beginning and set its policy, each message shows so many bytes and of the
 * rest only the sizes: megabytes on many new connections would fill the ring before anybody reads. 0: no limit.
 */
const volatile __u32 undecided_bytes = 0;

#include "datagram.bpf.h"

/*
 * When did this call happen? The TCP clock was read a moment ago: by the read itself, or by the transmission
 * of what was sent, if all of it went out. Otherwise the clock is asked (40 ns).
 */
static __always_inline __u64 call_time(const struct tcp_sock *tp, int direction)
{
	if (bpf_core_field_exists(tp->tcp_clock_cache)) {
		if (direction == DIRECTION_RECEIVE || tp->write_seq == tp->snd_nxt)
			return tp->tcp_clock_cache;
	}
	return bpf_ktime_get_ns();
}

/* Counts from here on: what moved before this call was not seen. */
static __always_inline void begin_here(struct sock_state *state, const struct tcp_sock *tp, int ret, int direction)
{
	state->joined = 1;
	state->tx = 0;
	state->rx = 0;
	state->rx_base = tp->copied_seq - (direction == DIRECTION_RECEIVE ? ret : 0);
}

/* A socket that was open before the probe was. */
static __always_inline struct sock_state *join(struct sock *sk, const struct tcp_sock *tp, int ret, int direction)
{
	struct sock_state *state = make_state(sk);

	if (!state || state->phase != PHASE_CLAIMED)
		return state;
	state->role = sk->sk_max_ack_backlog ? ROLE_SERVER : ROLE_CLIENT;
	begin_here(state, tp, ret, direction);
	publish(state);
	return state;
}

static __always_inline __u16 queue_of(const struct tcp_sock *tp, const struct sock_state *state, __u64 time,
				      __u32 *queue)
{
	if (queue_time == 1) {
		*queue = (__u32)bpf_jiffies64() - tp->inet_conn.icsk_ack.lrcvtime;
		return FLAG_QUEUE_TICKS;
	}
	if (queue_time == 2 && state->arrived && time >= state->arrived) {
		*queue = (__u32)((time - state->arrived) / 1000);
		return FLAG_QUEUE_US;
	}
	return 0;
}

static __always_inline __u32 class_bytes(__u32 policy, int direction)
{
	__u32 shift = direction == DIRECTION_SEND ? POLICY_SEND_CLASS_SHIFT : POLICY_RECEIVE_CLASS_SHIFT;
	__u32 class = policy >> shift & 7;

	return class ? 32U << class : 0;
}

static __always_inline bool is_beyond_beginning(struct sock_state *state, bool start, __u32 position)
{
	if (!undecided_bytes)
		return false;
	if (start)
		state->message_start = position;
	return position - state->message_start >= undecided_bytes;
}

static __always_inline int on_call(struct sock *sk, int ret, int flags, int direction)
{
	struct ring_header *ring = this_ring();
	struct user_buffer buffer;
	struct message_record *record;
	struct sock_state *state;
	struct tcp_sock *tp;
	__u32 tgid, policy, *word, wanted, number, before, rx, moved, length, captured = 0, off;
	struct task_struct *task;
	__u64 time, last;
	__u16 family, record_flags = 0;
	bool start, announced, hidden;

	if (!ring)
		return 0;
	count_call(ring, COUNT_RUNS);
	off = *(volatile __u32 *)&switched_off;
	if (off & SWITCHED_CAPTURE) {
		count_call(ring, SKIP_OFF);
		return 0;
	}
	family = sk->__sk_common.skc_family;
	if (family != AF_INET && family != AF_INET6) {
		count_call(ring, SKIP_FAMILY);
		return 0;
	}
	if (sk->sk_protocol != IPPROTO_TCP && !(sk->sk_protocol == IPPROTO_UDP && !(off & SWITCHED_UDP))) {
		count_call(ring, SKIP_FAMILY);
		return 0;
	}
	if (ret <= 0) {
		count_call(ring, SKIP_EMPTY);
		return 0;
	}
	if (direction == DIRECTION_RECEIVE && (flags & MSG_PEEK)) {
		count_call(ring, SKIP_PEEK);
		return 0;
	}
	task = bpf_get_current_task_btf();
	tgid = task->tgid;
	if (sk->sk_protocol == IPPROTO_UDP)
		return on_datagram(ring, sk, ret, direction, task, off);

	tp = tcp_of(sk);
	if (!tp) {
		count_call(ring, SKIP_FAMILY);
		return 0;
	}
	state = socket_state(sk);
	if (tgid == self_tgid) {
		if (state && state->phase == PHASE_READY)
			state->phase = PHASE_HIDDEN;
		count_call(ring, SKIP_SELF);
		return 0;
	}
	time = call_time(tp, direction);
	if (!state || state->phase < PHASE_HIDDEN) {
		state = join(sk, tp, ret, direction);
		if (!state) {
			count_call(ring, DROP_STORAGE_FULL);
			return 0;
		}
	}
	if (state->tgid != tgid) {
		hidden = state->phase == PHASE_HIDDEN;
		remember_owner(state, tgid);
		apply_filter(state, local_port(sk), remote_port(sk));
		if (hidden && state->phase == PHASE_READY)
			begin_here(state, tp, ret, direction);
		if (state->phase == PHASE_ANNOUNCED)
			report_owner(state, time);
	}
	if (state->phase != PHASE_ANNOUNCED && state->phase != PHASE_READY) {
		count_call(ring, SKIP_FILTERED);
		return 0;
	}

	/* The open record tells what stood before this call. */
	announced = state->phase == PHASE_ANNOUNCED || announce(state);
	if (!state->generation) {
		count_call(ring, DROP_STORAGE_FULL);
		return 0;
	}

	/*
	 * Then totals: whatever happens to the record, the next one carries them. The time goes first, so that
	 * a sweep on another CPU that meets this call half-way sees that it does.
	 */
	start = state->direction != direction;
	last = state->last_send > state->last_receive ? state->last_send : state->last_receive;
	rx = received(sk, tp, state);
	if (direction == DIRECTION_SEND) {
		state->last_send = time;
		asm volatile("" ::: "memory");
		before = __sync_fetch_and_add(&state->tx, ret);
		moved = (before ^ (before + ret)) | (rx ^ state->rx);
	} else {
		/* Bytes that it took before the backfill noted the stream position are this call's all the same. */
		if (!state->last_receive && rx < (__u32)ret) {
			state->rx_base -= ret - rx;
			rx = ret;
		}
		state->last_receive = time;
		asm volatile("" ::: "memory");
		before = state->tx;
		moved = rx ^ state->rx;
	}
	state->rx = rx;
	if (start) {
		state->direction = direction;
		state->turn += 1;
	}

	word = bpf_map_lookup_elem(&policies, &state->index);
	policy = word && *word >> 16 == state->generation && (*word & POLICY_SET) ? *word : default_policy;
	if ((policy & POLICY_MASK) == POLICY_IGNORE) {
		count_call(ring, SKIP_POLICY);
		return 0;
	}
	/* A long message gets a record each GiB, so that counters modulo 2^32 are never ambiguous. */
	if ((policy & POLICY_MASK) == POLICY_COUNT ||
	    ((policy & POLICY_MASK) == POLICY_HEADERS && !start && moved < 1U << 30)) {
		count_call(ring, COUNT_CONTINUED);
		return 0;
	}

	wanted = (policy & POLICY_MASK) == POLICY_STREAM ? payload_bytes : start ? class_bytes(policy, direction) : 0;
	if (policy == default_policy &&
	    is_beyond_beginning(state, start, direction == DIRECTION_SEND ? before : rx - ret))
		wanted = 0;
	if (wanted > (__u32)ret)
		wanted = ret;
	if (wanted > PAYLOAD_MAX)
		wanted = PAYLOAD_MAX;
	if (wanted && (off & SWITCHED_PAYLOAD)) {
		wanted = 0;
		record_flags = FLAG_NO_PAYLOAD;
	}
	if (wanted && ((direction == DIRECTION_RECEIVE && (flags & MSG_TRUNC)) || !is_users(sk) ||
		       !find_buffer(&buffer, task, state, ret))) {
		wanted = 0;
		record_flags = FLAG_NO_PAYLOAD;
	}
	number = __sync_fetch_and_add(&state->number, 1) + 1;
	length = record_length(sizeof(*record), wanted);
	record = announced ? ring_reserve(ring, length, false) : NULL;
	if (!record) {
		count_call(ring, DROP_RING_FULL);
		return 0;
	}
	if (wanted) {
		captured = copy_payload(record + 1, &buffer, wanted,
					(policy & POLICY_MASK) == POLICY_STREAM ? wanted : 64);
		if (!captured)
			record_flags = FLAG_NO_PAYLOAD;
	}
	if (record_flags & FLAG_NO_PAYLOAD)
		count_call(ring, off & SWITCHED_PAYLOAD ? PAYLOAD_OFF : PAYLOAD_UNREADABLE);
	record->queue = 0;
	if (start) {
		record_flags |= FLAG_START;
		if (direction == DIRECTION_RECEIVE)
			record_flags |= queue_of(tp, state, time, &record->queue);
	}
	record->head.kind = RECORD_MESSAGE;
	record->head.direction = direction;
	record->head.captured = captured;
	record->head.index = state->index;
	record->head.generation = state->generation;
	record->head.flags = record_flags;
	record->head.time = time;
	record->last_time = last;
	record->tx = before;
	record->rx = rx;
	record->size = ret;
	record->number = number;
	record->turn = state->turn;
	record->tgid = tgid;
	record->tid = task->pid;
	count_call(ring, COUNT_MESSAGES);
	ring_commit(&record->head, length);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(sonde_send, struct sock *sk, int ret, int flags)
{
	return on_call(sk, ret, flags, DIRECTION_SEND);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(sonde_receive, struct sock *sk, int ret, int flags)
{
	return on_call(sk, ret, flags, DIRECTION_RECEIVE);
}

/* Precise queue time: runs in a read before it refreshes the TCP clock, which still tells the last arrival. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(sonde_queue, struct sock *sk)
{
	struct sock_state *state = socket_state(sk);
	struct tcp_sock *tp;

	if (!state || state->direction == DIRECTION_RECEIVE)
		return 0;
	tp = tcp_of(sk);
	if (tp && bpf_core_field_exists(tp->tcp_clock_cache))
		state->arrived = tp->tcp_clock_cache;
	return 0;
}
