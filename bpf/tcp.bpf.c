/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What did the network do to a connection? Retransmissions, resets and dropped packets, each where the kernel itself
 * decides on it. None of it runs for a packet that arrives as it should.
 */
#include "include/packet.h"

/* Tracepoints have grown arguments; the type of the running kernel's tells which there are. */
typedef void (*btf_trace_tcp_retransmit_skb___error)(void *, const struct sock *, const struct sk_buff *, int);
typedef void (*btf_trace_tcp_send_reset___reason)(void *, const struct sock *, const struct sk_buff *,
						  enum sk_rst_reason);
typedef void (*btf_trace_kfree_skb___socket)(void *, struct sk_buff *, void *, enum skb_drop_reason, struct sock *);

#define DROP_REASONS 256

/* Packets of TCP by drop reason; the last entry has all that are beyond it (reasons of a subsystem's own). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DROP_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} tcp_drops SEC(".maps");

static __always_inline __u32 retransmit_cause(const struct sock *sk, const struct tcp_sock *tp)
{
	__u8 state = sk->__sk_common.skc_state, congestion = BPF_CORE_READ_BITFIELD(tp, inet_conn.icsk_ca_state);

	if (state == TCP_SYN_SENT || state == TCP_SYN_RECV)
		return RETRANSMIT_SYN;
	/* A probe is not sent in these two, but its timer may still be pending. */
	if (congestion == TCP_CA_LOSS)
		return RETRANSMIT_TIMEOUT;
	if (congestion == TCP_CA_RECOVERY)
		return RETRANSMIT_FAST;
	if (tp->inet_conn.icsk_pending == ICSK_TIME_LOSS_PROBE)
		return RETRANSMIT_PROBE;
	return RETRANSMIT_UNKNOWN;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(sonde_retransmit, struct sock *sk, struct sk_buff *skb)
{
	struct happening what = {.event = TCP_EVENT_RETRANSMIT};
	struct sock_state *state = socket_state(sk);
	struct tcp_sock *tp = tcp_of(sk);
	struct trouble *trouble;

	/* Since 6.17 attempts that failed pass here too. */
	if (bpf_core_type_exists(btf_trace_tcp_retransmit_skb___error) && (int)ctx[2] != 0)
		return 0;
	if (!tp)
		return 0;
	at_socket(&what, sk, state);
	if (is_hidden(&what, state))
		return 0;
	what.cause = retransmit_cause(sk, tp);
	what.amount = BPF_CORE_READ(skb, len);
	trouble = trouble_of(sk, state);
	if (trouble) {
		what.number = __sync_fetch_and_add(&trouble->retransmits, 1) + 1;
		if (what.cause == RETRANSMIT_PROBE)
			__sync_fetch_and_add(&trouble->loss_probes, 1);
	}
	report_happening(&what);
	return 0;
}

/* A SYN-ACK again: there is no socket yet but the listener's. */
SEC("tp_btf/tcp_retransmit_synack")
int BPF_PROG(sonde_retransmit_synack, struct sock *listener, struct request_sock *request)
{
	struct happening what = {.event = TCP_EVENT_RETRANSMIT, .cause = RETRANSMIT_SYN, .state = TCP_SYN_RECV};
	const struct sock *sk = (const struct sock *)request;
	__u16 family = BPF_CORE_READ(request, __req_common.skc_family);

	what.netns = BPF_CORE_READ(request, __req_common.skc_net.net, ns.inum);
	what.local_port = bpf_htons(BPF_CORE_READ(request, __req_common.skc_num));
	what.remote_port = BPF_CORE_READ(request, __req_common.skc_dport);
	copy_addresses(sk, what.local_address, what.remote_address, family);
	what.family = family == AF_INET ? 4 : 6;
	if (!is_hidden(&what, NULL))
		report_happening(&what);
	return 0;
}

/* The packet that is answered by a reset is an incoming one; there is none if this end resets on its own account. */
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(sonde_reset_sent, struct sock *sk, struct sk_buff *skb)
{
	struct happening what = {.event = TCP_EVENT_RESET_SENT};
	struct sock_state *state = NULL;
	struct trouble *trouble = NULL;

	if (bpf_core_type_exists(btf_trace_tcp_send_reset___reason))
		what.cause = (__u32)ctx[2];
	if (sk && is_connection(sk)) {
		state = socket_state(sk);
		at_socket(&what, sk, state);
	} else if (!skb || !at_packet(&what, skb, INCOMING)) {
		return 0;
	}
	if (is_hidden(&what, state))
		return 0;
	if (state)
		trouble = trouble_of(sk, state);
	if (trouble)
		what.number = __sync_fetch_and_add(&trouble->resets_sent, 1) + 1;
	report_happening(&what);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(sonde_reset_received, struct sock *sk)
{
	struct happening what = {.event = TCP_EVENT_RESET_RECEIVED};
	struct sock_state *state = socket_state(sk);
	struct trouble *trouble;

	at_socket(&what, sk, state);
	if (is_hidden(&what, state))
		return 0;
	trouble = trouble_of(sk, state);
	if (trouble)
		what.number = __sync_fetch_and_add(&trouble->resets_received, 1) + 1;
	report_happening(&what);
	return 0;
}

/*
 * Not: what is thrown away without a reason being given, which is nearly always what was read and is done with; and
 * what a socket that closes still has in its queues.
 */
static __always_inline bool is_drop(__u32 reason)
{
	if (reason == SKB_NOT_DROPPED_YET ||
	    reason == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_NOT_SPECIFIED))
		return false;
	if (bpf_core_enum_value_exists(enum skb_drop_reason, SKB_CONSUMED) &&
	    reason == bpf_core_enum_value(enum skb_drop_reason, SKB_CONSUMED))
		return false;
	if (bpf_core_enum_value_exists(enum skb_drop_reason, SKB_DROP_REASON_QUEUE_PURGE) &&
	    reason == bpf_core_enum_value(enum skb_drop_reason, SKB_DROP_REASON_QUEUE_PURGE))
		return false;
	return true;
}

SEC("tp_btf/kfree_skb")
int BPF_PROG(sonde_drop, struct sk_buff *skb, void *location, __u32 reason)
{
	struct happening what = {.event = TCP_EVENT_DROP, .cause = reason};
	struct sock_state *state = NULL;
	struct trouble *trouble = NULL;
	struct sock *sk = NULL;
	__u32 slot = reason < DROP_REASONS - 1 ? reason : DROP_REASONS - 1;
	__u32 from = INCOMING;
	__u64 *total;

	if (!is_drop(reason))
		return 0;
	/* The socket that was to receive it is an argument since 6.11; the packet's own is its sender, or
	 * what was found on arrival, or not set. The kernel's own sockets, which answer for nobody, have no port. */
	if (bpf_core_type_exists(btf_trace_kfree_skb___socket))
		sk = (struct sock *)ctx[3];
	if (!sk) {
		sk = skb->sk;
		if (sk)
			from = local_port(sk);
	}
	if (sk && is_connection(sk)) {
		state = socket_state(sk);
		at_socket(&what, sk, state);
	} else if (!at_packet(&what, skb, from)) {
		return 0;
	}
	if (is_hidden(&what, state))
		return 0;
	what.amount = BPF_CORE_READ(skb, len);
	if (state)
		trouble = trouble_of(sk, state);
	if (trouble)
		what.number = __sync_fetch_and_add(&trouble->drops, 1) + 1;
	total = bpf_map_lookup_elem(&tcp_drops, &slot);
	if (total)
		__sync_fetch_and_add(total, 1);
	report_happening(&what);
	return 0;
}
