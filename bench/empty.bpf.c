/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The two socket hooks with nothing in them: the least that watching sockets can cost on this kernel. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sock_send_length")
int empty_send(void *ctx)
{
	return 0;
}

SEC("tp_btf/sock_recv_length")
int empty_receive(void *ctx)
{
	return 0;
}
