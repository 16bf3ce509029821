/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 client whose sends and receives go through io_uring (raw system calls, no library).
 *
 *   uring_client port=N count=N [path=/] [async=1]
 *
 * async: every operation runs on a kernel worker thread (IOSQE_ASYNC) instead of inside io_uring_enter.
 * Prints {"exchanges":…,"sent":…,"received":…}.
 */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include "calls.h"

static struct {
	int fd;
	unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
} ring;

static void *map(size_t length, off_t offset)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, offset);
	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

static void open_ring(void)
{
	struct io_uring_params p = {0};
	ring.fd = syscall(SYS_io_uring_setup, 8, &p);
	if (ring.fd < 0)
		fail("io_uring_setup");
	char *sq = map(p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	char *cq = map(p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring.sqes = map(p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring.sq_tail = (unsigned *)(sq + p.sq_off.tail);
	ring.sq_mask = (unsigned *)(sq + p.sq_off.ring_mask);
	ring.sq_array = (unsigned *)(sq + p.sq_off.array);
	ring.cq_head = (unsigned *)(cq + p.cq_off.head);
	ring.cq_tail = (unsigned *)(cq + p.cq_off.tail);
	ring.cq_mask = (unsigned *)(cq + p.cq_off.ring_mask);
	ring.cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
}

/* One operation, waited for. */
static int run(int op, int fd, char *data, unsigned length, int async)
{
	unsigned tail = *ring.sq_tail, slot = tail & *ring.sq_mask;
	struct io_uring_sqe *sqe = &ring.sqes[slot];
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (unsigned long)data;
	sqe->len = length;
	sqe->flags = async ? IOSQE_ASYNC : 0;
	ring.sq_array[slot] = slot;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	while (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		if (errno != EINTR)
			fail("io_uring_enter");
	unsigned head = *ring.cq_head;
	if (head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE))
		fail("no completion");
	int result = ring.cqes[head & *ring.cq_mask].res;
	__atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

int main(int argc, char **argv)
{
	long count = atol(option(argc, argv, "count", "1"));
	int async = atoi(option(argc, argv, "async", "0"));
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(atoi(option(argc, argv, "port", "0"))),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	static char request[1024], data[1 << 16];
	int length = sprintf(request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", option(argc, argv, "path", "/"));
	long long sent = 0, received = 0;

	open_ring();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (void *)&to, sizeof(to)) < 0)
		fail("connect");
	for (long i = 0; i < count; i++) {
		if (run(IORING_OP_SEND, fd, request, length, async) != length)
			fail("send");
		sent += length;
		int have = 0;
		for (;;) {
			int n = run(IORING_OP_RECV, fd, data + have, sizeof(data) - 1 - have, async);
			if (n <= 0)
				fail("recv");
			have += n;
			data[have] = 0;
			char *end = strstr(data, "\r\n\r\n"), *size = strcasestr(data, "\r\ncontent-length:");
			if (end && have >= end + 4 - data + (size ? atoi(size + 17) : 0))
				break;
		}
		received += have;
	}
	close(fd);
	printf("{\"exchanges\":%ld,\"sent\":%lld,\"received\":%lld}\n", count, sent, received);
	return 0;
}
