/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the addon's tests load: the maps that every probe has, and programs that put exact bytes into the rings.
 * It shares nothing with the capture but the layout, so that these tests say something about the addon alone.
 */
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "record.h"

const volatile __u32 ring_bytes = 64 * 1024;
const volatile __u8 small = 0;
const volatile __s32 negative = 0;
const volatile __u64 wide = 0;
const volatile char text[8] = "";

__u64 fired = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct ring_header) + 64 * 1024 + RING_SLACK);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} policies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} pairs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 4);
	__uint(value_size, sizeof(__u64));
} stack SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} sockets SEC(".maps");

static struct ring_header *ring_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&rings, &cpu);
}

struct put {
	__u32 cpu;
	__u32 length; /* what the record says; 0 leaves it uncommitted */
	__u32 room;   /* what is reserved for it */
	__u32 kind;
	__u64 time; /* 0: now */
	__u64 other_time;
	__u32 count; /* so many, each 1 ns and one number later */
	__u32 number;
};

struct putting {
	struct ring_header *ring;
	struct put *put;
	__u64 now;
	__u32 done;
};

static long put_one(__u32 i, struct putting *putting)
{
	struct ring_header *ring = putting->ring;
	struct put *put = putting->put;
	struct message_record *record;
	__u32 step;
	__u64 at;

	ring->counters[COUNT_RUNS] += 1;
	if (ring->head + put->room - ring->tail > ring_bytes) {
		ring->counters[DROP_RING_FULL] += 1;
		return 0;
	}
	at = ring->head & (ring_bytes - 1);
	ring->head += put->room;
	record = (void *)ring + sizeof(*ring) + at;
	record->head.kind = put->kind;
	record->head.direction = 0;
	record->head.captured = 0;
	record->head.index = put->cpu;
	record->head.generation = 1;
	record->head.flags = 0;
	record->head.time = put->time ? put->time + i : putting->now;
	record->last_time = put->other_time;
	record->tx = put->other_time;
	record->rx = put->other_time >> 32;
	record->size = put->length;
	record->number = put->number + i;
	/* Payload that looks like the beginning of a record wherever one could begin. */
	for (step = RECORD_ALIGN; step < RECORD_MAX; step += RECORD_ALIGN) {
		if (step >= put->length)
			break;
		*(volatile __u32 *)((void *)record + step) = RECORD_ALIGN;
	}
	asm volatile("" ::: "memory");
	*(volatile __u32 *)&record->head.length = put->length;
	if (put->length)
		ring->counters[RING_LIFE] += 1;
	putting->done += 1;
	return 0;
}

/* Returns how many found room. */
SEC("syscall")
int put_records(struct put *put)
{
	struct putting putting = {
		.ring = ring_of(put->cpu),
		.put = put,
		.now = bpf_ktime_get_ns(),
	};

	if (!putting.ring)
		return -1;
	bpf_loop(put->count, put_one, &putting, 0);
	return putting.done;
}

struct poke {
	__u32 cpu;
	__u32 offset; /* within the ring's data */
	__u32 value;
	__u32 head; /* not 0: added to the head */
};

/* Writes a word anywhere into a ring's data: a length that is whole late, or wrong. */
SEC("syscall")
int poke_ring(struct poke *poke)
{
	struct ring_header *ring = ring_of(poke->cpu);

	if (!ring)
		return -1;
	*(volatile __u32 *)((void *)ring + sizeof(*ring) + (poke->offset & (ring_bytes - 1) & ~3)) = poke->value;
	ring->head += poke->head;
	return 0;
}

SEC("syscall")
int read_policy(__u32 *index)
{
	__u32 key = *index;
	__u32 *word = bpf_map_lookup_elem(&policies, &key);

	if (!word)
		return -1;
	*index = *word;
	return 0;
}

struct knobs {
	__u64 wide;
	__s32 negative;
	__u32 ring_bytes;
	__u32 small;
	__u32 pad;
};

SEC("syscall")
int read_knobs(struct knobs *knobs)
{
	knobs->wide = wide;
	knobs->negative = negative;
	knobs->ring_bytes = ring_bytes;
	knobs->small = small;
	return 7;
}

SEC("syscall")
int read_fired(__u64 *count)
{
	*count = fired;
	return 0;
}

SEC("tp_btf/sched_process_exec")
int on_exec(void *ctx)
{
	__sync_fetch_and_add(&fired, 1);
	return 0;
}

SEC("iter/bpf_sk_storage_map")
int count_sockets(void *ctx)
{
	__sync_fetch_and_add(&fired, 1);
	return 0;
}

/* Its tracepoint exists on no kernel. */
SEC("tp_btf/sonde_no_such_tracepoint")
int on_nothing(void *ctx)
{
	return 0;
}

/* The verifier refuses it: a read from nowhere. */
SEC("syscall")
int refused(void *ctx)
{
	return *(volatile int *)8;
}

char LICENSE[] SEC("license") = "GPL";
