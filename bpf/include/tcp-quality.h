/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * How TCP fares on a socket: its own counters, read when segments have moved since the last sweep, and once more when
 * the socket closes. Nothing of it runs in a call.
 */
#ifndef SONDE_TCP_QUALITY_H
#define SONDE_TCP_QUALITY_H

#include "tcp-event.h"

const volatile __u8 tcp_quality = 0;

/* Length of a jiffy. The kernel has no variable that says it: user space works it out (tick-length.ts) and tells. */
__u64 tick_ns = 4000000;

/* A field that a kernel may lack must not cost the program that reads it. */
#define READ_OR_0(object, field) (bpf_core_field_exists((object)->field) ? (object)->field : 0)

/* As tcp_get_info_chrono_stats() in net/ipv4/tcp.c: what was closed off, and what runs now. */
static __always_inline __u64 chrono_us(const struct tcp_sock *tp, __u32 which)
{
	__u64 stat;
	__s32 running;

	if (!bpf_core_field_exists(tp->chrono_stat))
		return 0;
	stat = tp->chrono_stat[which - 1];
	if (BPF_CORE_READ_BITFIELD(tp, chrono_type) == which) {
		running = tp->chrono_start;
		asm volatile("" ::: "memory");
		running = (__s32)((__u32)bpf_jiffies64() - (__u32)running);
		/* The socket is not locked: another CPU may have started it since. */
		if (running > 0)
			stat += running;
	}
	return stat * tick_ns / 1000;
}

static __always_inline void read_quality(struct tcp_record *record, const struct tcp_sock *tp)
{
	__u32 min_rtt, interval;
	__u64 receiver, buffer;

	receiver = chrono_us(tp, TCP_CHRONO_RWND_LIMITED);
	buffer = chrono_us(tp, TCP_CHRONO_SNDBUF_LIMITED);
	record->busy_us = chrono_us(tp, TCP_CHRONO_BUSY) + receiver + buffer;
	record->receiver_limited_us = receiver;
	record->buffer_limited_us = buffer;
	record->bytes_sent = READ_OR_0(tp, bytes_sent);
	record->bytes_retransmitted = READ_OR_0(tp, bytes_retrans);
	record->bytes_received = READ_OR_0(tp, bytes_received);
	interval = READ_OR_0(tp, rate_interval_us);
	record->delivery_rate =
		interval ? (__u64)READ_OR_0(tp, rate_delivered) * READ_OR_0(tp, mss_cache) * 1000000 / interval : 0;
	record->srtt_us = READ_OR_0(tp, srtt_us) >> 3;
	record->rttvar_us = READ_OR_0(tp, mdev_us) >> 2;
	min_rtt = READ_OR_0(tp, rtt_min.s[0].v);
	record->min_rtt_us = min_rtt == ~0U ? 0 : min_rtt;
	record->segments_out = READ_OR_0(tp, segs_out);
	record->segments_in = READ_OR_0(tp, segs_in);
	record->data_segments_out = READ_OR_0(tp, data_segs_out);
	record->data_segments_in = READ_OR_0(tp, data_segs_in);
	record->retransmits = READ_OR_0(tp, total_retrans);
	record->spurious = READ_OR_0(tp, dsack_dups);
	record->out_of_order = READ_OR_0(tp, rcv_ooopack);
	record->reordered = READ_OR_0(tp, reord_seen);
	record->delivered = READ_OR_0(tp, delivered);
	record->lost = READ_OR_0(tp, lost_out);
	record->congestion_window = READ_OR_0(tp, snd_cwnd);
	record->send_window = READ_OR_0(tp, snd_wnd);
	record->receive_window = READ_OR_0(tp, rcv_wnd);
	record->unsent = tp->write_seq - tp->snd_nxt;
}

/* Bytes that came in order and were not read: without the FIN, which has a place in the sequence too. */
static __always_inline __u32 unread(const struct sock *sk, const struct tcp_sock *tp)
{
	__u32 waiting = tp->rcv_nxt - tp->copied_seq;

	if (waiting && (sk->__sk_common.skc_flags & (1UL << SOCK_DONE)))
		waiting -= 1;
	return (int)waiting < 0 ? 0 : waiting;
}

/*
 * Writes the tcp record of an announced socket. What is read is kept aside until the state has been read once more:
 * disconnect() sets the state first and then clears the counters, which must never seem to run backwards.
 */
static __noinline int report_quality(struct sock *sk, struct sock_state *state, __u64 now, bool closing)
{
	struct ring_header *ring = this_ring();
	struct tcp_record values = {}, *record;
	struct tcp_sock *tp = tcp_of(sk);
	struct trouble *trouble = known_trouble(sk, state);
	__u16 generation = *(volatile __u16 *)&state->generation;

	if (!ring || !tp || !generation)
		return 0;
	fill_head(&values.head, state, RECORD_TCP, now);
	values.head.generation = generation;
	if (state->joined)
		values.head.flags = FLAG_JOINED;
	read_quality(&values, tp);
	/* The peer's FIN has a place in the sequence, and the kernel counts it. */
	if (values.bytes_received && (sk->__sk_common.skc_flags & (1UL << SOCK_DONE)))
		values.bytes_received -= 1;
	values.unread = unread(sk, tp);
	if (trouble) {
		values.loss_probes = trouble->loss_probes;
		values.zero_window_us = trouble->zero_us;
		if (trouble->zero_since)
			values.zero_window_us += (trouble->zero_seen - trouble->zero_since) / 1000;
	}
	asm volatile("" ::: "memory");
	values.state = sk->__sk_common.skc_state;
	if (!closing && values.state == TCP_CLOSE)
		return 0;
	record = ring_reserve(ring, sizeof(*record), true);
	if (!record) {
		count(ring, RING_LIFE_FULL);
		return 0;
	}
	__builtin_memcpy(record, &values, sizeof(*record));
	state->reported_segments = values.segments_in + values.segments_out;
	count(ring, RING_LIFE);
	ring_commit(&record->head, sizeof(*record));
	return 1;
}

static __noinline int report_window(struct sock *sk, struct sock_state *state, __u32 event, __u32 number, __u64 us)
{
	struct happening what = {.event = event, .amount = us > ~0U ? ~0U : (__u32)us, .number = number};

	at_socket(&what, sk, state);
	return report_happening(&what);
}

/*
 * Is this end's receive window closed? Seen only when looked at, so that what is told is a lower bound. It has been
 * closed since the last data came in, which the socket knows to a tick; and it was so all the time between two looks
 * that find the stream at the same place.
 */
static __always_inline bool watch_window(struct sock *sk, struct sock_state *state, const struct tcp_sock *tp,
					 int tcp_state, __u64 now)
{
	bool can_receive = tcp_state == TCP_ESTABLISHED || tcp_state == TCP_FIN_WAIT1 || tcp_state == TCP_FIN_WAIT2;
	bool closed = can_receive && tp->rcv_wnd == 0;
	struct trouble *trouble = closed ? trouble_of(sk, state) : known_trouble(sk, state);
	__u64 us, idle;

	if (!trouble)
		return false;
	if (trouble->zero_since && (!closed || tp->rcv_nxt != trouble->zero_edge)) {
		us = (trouble->zero_seen - trouble->zero_since) / 1000;
		trouble->zero_us += us;
		trouble->zero_since = 0;
		report_window(sk, state, TCP_EVENT_WINDOW_OPEN, trouble->zero_windows, us);
	}
	if (!closed)
		return false;
	trouble->zero_seen = now;
	if (!trouble->zero_since) {
		idle = (__u64)((__u32)bpf_jiffies64() - tp->inet_conn.icsk_ack.lrcvtime) * tick_ns;
		idle = idle > tick_ns ? idle - tick_ns : 0;
		trouble->zero_since = idle < now ? now - idle : now;
		trouble->zero_edge = tp->rcv_nxt;
		trouble->zero_windows += 1;
		report_window(sk, state, TCP_EVENT_ZERO_WINDOW, trouble->zero_windows,
			      (now - trouble->zero_since) / 1000);
	}
	return true;
}

/* At a sweep: an announced socket. */
static __always_inline void sweep_quality(struct sock *sk, struct sock_state *state, const struct tcp_sock *tp)
{
	__u32 segments;
	__u64 now;

	if (!tcp_quality || is_tcp_off() || sk->__sk_common.skc_state == TCP_CLOSE)
		return;
	segments = READ_OR_0(tp, segs_in) + READ_OR_0(tp, segs_out);
	/* A window that stays closed lasts longer each time. */
	if (segments == state->reported_segments && tp->rcv_wnd)
		return;
	now = bpf_ktime_get_ns();
	if (watch_window(sk, state, tp, sk->__sk_common.skc_state, now) || segments != state->reported_segments)
		report_quality(sk, state, now, false);
}

/* When the socket has just gone to state CLOSE: its counters still stand. */
static __always_inline void close_quality(struct sock *sk, struct sock_state *state, const struct tcp_sock *tp,
					  int oldstate, __u64 now)
{
	if (!tcp_quality || is_tcp_off() || oldstate == TCP_CLOSE)
		return;
	if (state->phase == PHASE_READY && owner_settled(state))
		announce(state);
	if (state->phase != PHASE_ANNOUNCED)
		return;
	watch_window(sk, state, tp, oldstate, now);
	report_quality(sk, state, now, true);
}

#endif
