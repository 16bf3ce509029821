/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Whose is a packet? Its socket says, where it has one; else its headers. */
#ifndef SONDE_PACKET_H
#define SONDE_PACKET_H

#include "tcp-event.h"

#define NO_HEADER 0xffff

#define INCOMING (~0U)
#define OUTGOING 0

/*
 * Takes addresses and ports from a TCP packet's headers. False if they cannot be read, or it is not TCP, or IPv6 with
 * extension headers. `from`: INCOMING, OUTGOING, or the local port, which tells which one it is.
 */
static __always_inline bool at_packet(struct happening *what, const struct sk_buff *skb, __u32 from)
{
	bool outgoing;
	__be16 protocol = BPF_CORE_READ(skb, protocol);
	__u16 network = BPF_CORE_READ(skb, network_header);
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u8 ip[40] = {};
	__be16 ports[2];
	__u32 size, length;

	if (!head || network == NO_HEADER)
		return false;
	size = protocol == bpf_htons(ETH_P_IP) ? 20 : protocol == bpf_htons(ETH_P_IPV6) ? 40 : 0;
	if (!size || bpf_probe_read_kernel(ip, size, head + network))
		return false;
	if (size == 20) {
		if (ip[0] >> 4 != 4 || ip[9] != IPPROTO_TCP || ((ip[6] & 0x1f) | ip[7]))
			return false;
		length = (ip[0] & 15) * 4;
	} else {
		if (ip[0] >> 4 != 6 || ip[6] != IPPROTO_TCP)
			return false;
		length = 40;
	}
	if (bpf_probe_read_kernel(ports, sizeof(ports), head + network + length))
		return false;
	outgoing = from == OUTGOING || from == bpf_ntohs(ports[0]);
	what->family = size == 20 ? 4 : 6;
	what->netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	what->local_port = outgoing ? ports[0] : ports[1];
	what->remote_port = outgoing ? ports[1] : ports[0];
	if (size == 20) {
		__builtin_memcpy(outgoing ? what->local_address : what->remote_address, ip + 12, 4);
		__builtin_memcpy(outgoing ? what->remote_address : what->local_address, ip + 16, 4);
	} else {
		__builtin_memcpy(outgoing ? what->local_address : what->remote_address, ip + 8, 16);
		__builtin_memcpy(outgoing ? what->remote_address : what->local_address, ip + 24, 16);
	}
	return true;
}

/* A connection's own socket: not a listener, a request, one in TIME_WAIT, or the kernel's for answers to nobody. */
static __always_inline bool is_connection(const struct sock *sk)
{
	__u8 state = sk->__sk_common.skc_state;
	__u16 family = sk->__sk_common.skc_family;

	return state != TCP_LISTEN && state != TCP_TIME_WAIT && state != TCP_NEW_SYN_RECV &&
	       (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_TCP &&
	       sk->sk_type == SOCK_STREAM;
}

#endif
