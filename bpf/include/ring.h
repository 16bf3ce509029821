/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * How records travel: one ring a CPU, in the memory of an array map that user space has mapped. Nothing
 * is shared between CPUs and nobody is woken. A reservation is one atomic add, because programs nest
 * (a softirq interrupts a system call); the length word, written last, says that a record is whole.
 */
#ifndef SONDE_RING_H
#define SONDE_RING_H

#include "kernel.h"
#include "record.h"

/* A reservation checks first and adds after: this much may be reserved in between by nested programs. */
#define RING_MARGIN (4 * RECORD_MAX)

const volatile __u32 ring_bytes = 64 * 1024;

/* The loader sets max_entries to the possible CPUs and value_size to header + ring_bytes + RING_SLACK. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct ring_header) + 64 * 1024 + RING_SLACK);
} rings SEC(".maps");

static __always_inline struct ring_header *this_ring(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&rings, &cpu);
}

/* For counters that a softirq may move as well. */
static __always_inline void count(struct ring_header *ring, enum counter counter)
{
	__sync_fetch_and_add(&ring->counters[counter], 1);
}

/* fexit programs stay on their CPU, but where the kernel preempts, another task may run there in between. */
const volatile __u8 hooks_preemptible = 0;

/*
 * For counters that only the socket calls' hooks move: they run in a task, which a tracepoint keeps on its
 * CPU, and a softirq makes no socket calls. A plain add is exact there and costs a fifth.
 */
static __always_inline void count_call(struct ring_header *ring, enum counter counter)
{
	if (hooks_preemptible)
		count(ring, counter);
	else
		*(volatile __u64 *)&ring->counters[counter] += 1;
}

/*
 * Room for a record of `length` bytes (a multiple of 64, at most RECORD_MAX), or NULL. Records of a
 * socket's life may use the last eighth of the ring, messages may not: they are fewer, and worth more.
 */
static __always_inline void *ring_reserve(struct ring_header *ring, __u32 length, bool life)
{
	__u64 limit = ring_bytes - RING_MARGIN;
	__u64 at;

	if (!life)
		limit -= ring_bytes / 8;
	if (ring->head + length - ring->tail > limit)
		return NULL;
	at = __sync_fetch_and_add(&ring->head, length) & (ring_bytes - 1);
	return (void *)ring + sizeof(struct ring_header) + at;
}

/* Whether there is room to spare: for what can as well be told later, and is not lost if it is. */
static __always_inline bool ring_has_time(const struct ring_header *ring)
{
	return ring->head - ring->tail < ring_bytes / 2;
}

/* Publish a reserved record. x86 keeps stores in order; the compiler must as well. */
static __always_inline void ring_commit(struct record_head *head, __u32 length)
{
	asm volatile("" ::: "memory");
	*(volatile __u32 *)&head->length = length;
}

static __always_inline __u32 record_length(__u32 fixed, __u32 payload)
{
	return fixed + ((payload + RECORD_ALIGN - 1) & ~(RECORD_ALIGN - 1));
}

#endif
