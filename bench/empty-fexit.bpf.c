/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* As empty.bpf.c, for kernels before 6.3: the exits of the two functions that nginx and its clients call there. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("fexit/tcp_sendmsg")
int empty_send(void *ctx)
{
	return 0;
}

SEC("fexit/tcp_recvmsg")
int empty_receive(void *ctx)
{
	return 0;
}
