/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * Where the bytes of a socket call lie in user memory: read from the registers with which the current
 * task entered the kernel. There is no such place for sendfile, splice, io_uring and kernel threads, and
 * 32-bit callers are not followed; then nothing is captured and the record says so.
 */
#ifndef SONDE_PAYLOAD_H
#define SONDE_PAYLOAD_H

#include "kernel.h"
#include "record.h"
#include "ring.h"
#include "socket.h"

/* System call numbers, x86-64. */
#define NR_read 0
#define NR_write 1
#define NR_readv 19
#define NR_writev 20
#define NR_sendto 44
#define NR_recvfrom 45
#define NR_sendmsg 46
#define NR_recvmsg 47
#define NR_recvmmsg 299
#define NR_sendmmsg 307

#define IOV_SCAN 8

struct user_buffer {
	__u64 base;   /* of the first piece */
	__u64 length; /* of the first piece */
	__u64 iov;    /* where the pieces are listed, if there are several */
	__u32 pieces;
};

/*
 * Is `fd` of this task the socket whose struct sock lies at `address`? Asked only where a task uses
 * io_uring, so that its registers may be those of another call.
 */
static __always_inline bool is_fd_of(__u64 address, struct task_struct *task, __u64 fd)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd);
	struct socket *socket;
	struct file *file = NULL;

	if (fd >= BPF_CORE_READ(table, max_fds))
		return false;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	if (!file)
		return false;
	socket = BPF_CORE_READ(file, private_data);
	return (__u64)BPF_CORE_READ(socket, sk) == address;
}

static __always_inline bool use_iov(struct user_buffer *buffer, __u64 iov, __u64 pieces)
{
	struct user_iovec first;

	if (!pieces || bpf_probe_read_user(&first, sizeof(first), (void *)iov))
		return false;
	buffer->base = first.base;
	buffer->length = first.length;
	buffer->iov = iov;
	buffer->pieces = pieces > IOV_SCAN ? IOV_SCAN : (__u32)pieces;
	return true;
}

static __always_inline bool use_message(struct user_buffer *buffer, __u64 header)
{
	struct {
		__u64 iov;
		__u64 count;
	} part;

	if (bpf_probe_read_user(&part, sizeof(part), (void *)(header + __builtin_offsetof(struct user_msghdr, iov))))
		return false;
	return use_iov(buffer, part.iov, part.count);
}

/*
 * sendmmsg and recvmmsg fire the hook once a message, and nothing tells which one. The messages of one
 * call are counted; the kernel has by then written the length of the one before, which must be what that
 * one moved: if not, this is a new call.
 */
static __always_inline bool use_vector(struct user_buffer *buffer, struct sock_state *state, __u64 vector, __u64 count,
				       __u32 size)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 entry = vector;
	__u32 at = 0, before = 0;

	if (!count)
		return false;
	if (state->mmsg_tid == tid && state->mmsg_vector == vector && state->mmsg_count < count) {
		at = state->mmsg_count & 1023;
		entry = vector + (__u64)at * sizeof(struct user_mmsghdr);
		if (bpf_probe_read_user(&before, sizeof(before),
					(void *)(entry - 8 /* length of the entry before */)) ||
		    before != state->mmsg_size) {
			at = 0;
			entry = vector;
		}
	}
	state->mmsg_tid = tid;
	state->mmsg_count = at + 1;
	state->mmsg_size = size;
	state->mmsg_vector = vector;
	return use_message(buffer, entry);
}

/* The calls with an array of messages, and tasks that use io_uring: seldom, so kept off the hooks' paths. */
__noinline int find_vector(struct user_buffer *buffer, struct sock_state *state, __u32 size)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	if (!buffer || !state || (regs->orig_ax != NR_sendmmsg && regs->orig_ax != NR_recvmmsg))
		return 0;
	return use_vector(buffer, state, regs->si, regs->dx, size);
}

__noinline int owns_registers(struct sock_state *state)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	return state && is_fd_of(state->address, task, regs->di);
}

/* The kernel's own sockets have no file: a task that reads from NFS has its registers for something else. */
static __always_inline bool is_users(struct sock *sk)
{
	struct socket *socket = sk->sk_socket;

	return socket && socket->file;
}

/* Finds the caller's buffer; `state` is NULL for a socket without one (UDP). False if there is none. */
static __always_inline bool find_buffer(struct user_buffer *buffer, struct task_struct *task, struct sock_state *state,
					__u32 size)
{
	struct pt_regs *regs;

	if (task->flags & (PF_KTHREAD | PF_IO_WORKER))
		return false;
	if (task->thread_info.status & TS_COMPAT)
		return false;
	if (task->io_uring && !owns_registers(state))
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	buffer->pieces = 1;
	switch (regs->orig_ax) {
	case NR_read:
	case NR_write:
	case NR_sendto:
	case NR_recvfrom:
		buffer->base = regs->si;
		buffer->length = regs->dx;
		return true;
	case NR_readv:
	case NR_writev:
		return use_iov(buffer, regs->si, regs->dx);
	case NR_sendmsg:
	case NR_recvmsg:
		return use_message(buffer, regs->si);
	}
	return find_vector(buffer, state, size);
}

/* Where payload goes, with room behind it for the verifier, who cannot see that pieces add up to `wanted`. */
struct payload_room {
	__u8 bytes[2 * PAYLOAD_MAX];
};

/* Gathers the pieces of a vector from the second on until `wanted` bytes are there; returns how many are. */
__noinline int gather(struct payload_room *to, struct user_buffer *buffer, __u32 copied, __u32 wanted)
{
	struct user_iovec piece;
	__u32 part, i;

	if (!to || !buffer)
		return copied;
	for (i = 1; i < IOV_SCAN; i++) {
		if (i >= buffer->pieces || copied >= wanted || copied >= PAYLOAD_MAX)
			break;
		if (bpf_probe_read_user(&piece, sizeof(piece), (void *)(buffer->iov + i * sizeof(piece))))
			break;
		part = wanted - copied;
		if (piece.length < part)
			part = (__u32)piece.length;
		if (part > PAYLOAD_MAX)
			part = PAYLOAD_MAX;
		if (part && bpf_probe_read_user(&to->bytes[copied & (PAYLOAD_MAX - 1)], part, (void *)piece.base))
			break;
		copied += part;
	}
	return copied;
}

/*
 * Copies up to `wanted` bytes (at most PAYLOAD_MAX) behind a record; the pieces of a vector are gathered
 * if the first has less than `enough`. Returns the bytes copied.
 */
static __always_inline __u32 copy_payload(void *to, struct user_buffer *buffer, __u32 wanted, __u32 enough)
{
	__u64 copied = wanted;

	if (buffer->length < copied)
		copied = buffer->length;
	/*
	 * The limit once more, on the register that is passed: otherwise clang compares one copy and passes
	 * another, of which the verifier of 6.1 knows no bound.
	 */
	asm volatile("if %0 <= %1 goto +1; %0 = %1" : "+r"(copied) : "i"(PAYLOAD_MAX));
	if (copied && bpf_probe_read_user(to, copied, (void *)buffer->base))
		return 0;
	if (copied < enough && buffer->pieces > 1)
		return gather(to, buffer, copied, wanted);
	return copied;
}

#endif
