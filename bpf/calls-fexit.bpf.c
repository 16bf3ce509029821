/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The socket calls on kernels before 6.3, which lack the tracepoints sock_send_length and sock_recv_length: the same
 * body at the exit of the functions that these calls end in. Only AF_INET and AF_INET6 sockets come here.
 *
 * Up to 5.18 the receive functions had one argument more, `nonblock`, before `flags` (commit ec095263a965).
 */
#include "calls.bpf.c"

static __always_inline int on_receive_exit(unsigned long long *context)
{
	struct sock *sk = (struct sock *)context[0];
	__u64 flags = 0, ret = 0;

	bpf_get_func_arg(context, bpf_get_func_arg_cnt(context) > 5 ? 4 : 3, &flags);
	bpf_get_func_ret(context, &ret);
	return on_call(sk, (int)ret, (int)flags, DIRECTION_RECEIVE);
}

SEC("fexit/tcp_sendmsg")
int BPF_PROG(sonde_exit_tcp_sendmsg, struct sock *sk, void *message, __u64 size, int ret)
{
	return on_call(sk, ret, 0, DIRECTION_SEND);
}

/* What sendfile and splice pass through up to 6.4; later it is tcp_sendmsg. */
SEC("fexit/tcp_sendpage")
int BPF_PROG(sonde_exit_tcp_sendpage, struct sock *sk, void *page, int offset, __u64 size, int flags, int ret)
{
	return on_call(sk, ret, 0, DIRECTION_SEND);
}

SEC("fexit/tcp_recvmsg")
int sonde_exit_tcp_recvmsg(unsigned long long *context)
{
	return on_receive_exit(context);
}

/* An IPv6 socket that sends to an IPv4 address comes here from within udpv6_sendmsg, which counts it. */
SEC("fexit/udp_sendmsg")
int BPF_PROG(sonde_exit_udp_sendmsg, struct sock *sk, void *message, __u64 size, int ret)
{
	return sk->__sk_common.skc_family == AF_INET ? on_call(sk, ret, 0, DIRECTION_SEND) : 0;
}

SEC("fexit/udpv6_sendmsg")
int BPF_PROG(sonde_exit_udpv6_sendmsg, struct sock *sk, void *message, __u64 size, int ret)
{
	return on_call(sk, ret, 0, DIRECTION_SEND);
}

SEC("fexit/udp_recvmsg")
int sonde_exit_udp_recvmsg(unsigned long long *context)
{
	return on_receive_exit(context);
}

SEC("fexit/udpv6_recvmsg")
int sonde_exit_udpv6_recvmsg(unsigned long long *context)
{
	return on_receive_exit(context);
}
