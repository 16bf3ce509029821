/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 client that makes a known number of exchanges one after the other, by the calls it is told to use,
 * and times each of them itself.
 *
 *   client port=N count=N [host=127.0.0.1] [path=/] [send=write] [head=read] [body=read] [post=BYTES]
 *          [fresh=1] [share=alternate|split] [times=FILE] [pause_us=0]
 *
 * fresh: a connection for each exchange. share=alternate: two threads take turns on one socket;
 * split: one thread sends, another receives. head and body: how to receive the two parts of the response.
 * Prints {"exchanges":…,"sent":…,"received":…,"statuses":{"200":…}}; times: a line `firstByteNs durationNs sentAtNs`
 * each, the last by CLOCK_MONOTONIC.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include "calls.h"

static struct {
	const char *host, *path, *send, *head, *body, *share;
	int port, fresh;
	long count, post, pause_us;
	FILE *times;
} o;

static char request[1 << 20];
static size_t request_length;
static long exchanges, statuses[1000];
static long long sent, received;
static int64_t started;
static sem_t turn[2];
static int shared_fd;

static int dial(void)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(o.port)};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(o.port)};
	int v6 = inet_pton(AF_INET6, o.host, &six.sin6_addr) == 1, one = 1;
	if (!v6 && inet_pton(AF_INET, o.host, &four.sin_addr) != 1)
		fail("host");
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	if (connect(fd, v6 ? (void *)&six : (void *)&four, v6 ? sizeof(six) : sizeof(four)) < 0)
		fail("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_request(int fd)
{
	started = now_ns();
	send_all(o.send, fd, request, request_length);
	sent += request_length;
}

/* Room for the head alone, when the body is to be received by another call. */
static size_t head_room(int fd, size_t room)
{
	static char peeked[4096];
	if (is(o.head, o.body))
		return room;
	for (;;) {
		ssize_t n = recv(fd, peeked, sizeof(peeked) - 1, MSG_PEEK);
		if (n <= 0)
			fail("peek");
		peeked[n] = 0;
		char *end = strstr(peeked, "\r\n\r\n");
		if (end)
			return end + 4 - peeked;
	}
}

static void receive_response(int fd)
{
	static char data[1 << 16];
	size_t have = 0;
	long long missing;
	int64_t first = 0;
	char *end = NULL;
	while (!end) {
		size_t room = have == 0 ? head_room(fd, sizeof(data) - 1) : sizeof(data) - 1 - have;
		ssize_t n = receive_once(o.head, fd, data + have, room);
		if (n <= 0)
			fail("response head");
		if (!first)
			first = now_ns();
		have += n;
		received += n;
		data[have] = 0;
		end = strstr(data, "\r\n\r\n");
	}
	char *length = strcasestr(data, "\r\ncontent-length:");
	missing = (length ? atoll(length + 17) : 0) - (long long)(data + have - end - 4);
	int status = atoi(data + 9);
	while (missing > 0) {
		size_t room = missing < (long long)sizeof(data) ? missing : sizeof(data);
		ssize_t n = receive_once(o.body, fd, data, room);
		if (n <= 0)
			fail("response body");
		missing -= n;
		received += n;
	}
	if (o.times)
		fprintf(o.times, "%lld %lld %lld\n", (long long)(first - started), (long long)(now_ns() - started),
			(long long)started);
	statuses[status % 1000]++;
	exchanges++;
	sleep_us(o.pause_us);
}

static void *alternate(void *argument)
{
	long self = (long)argument;
	for (long i = self; i < o.count; i += 2) {
		sem_wait(&turn[self]);
		send_request(shared_fd);
		receive_response(shared_fd);
		sem_post(&turn[1 - self]);
	}
	return NULL;
}

static void *split(void *argument)
{
	long self = (long)argument;
	for (long i = 0; i < o.count; i++) {
		sem_wait(&turn[self]);
		if (self == 0)
			send_request(shared_fd);
		else
			receive_response(shared_fd);
		sem_post(&turn[1 - self]);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	o.host = option(argc, argv, "host", "127.0.0.1");
	o.port = atoi(option(argc, argv, "port", "0"));
	o.path = option(argc, argv, "path", "/");
	o.send = option(argc, argv, "send", "write");
	o.head = option(argc, argv, "head", "read");
	o.body = option(argc, argv, "body", o.head);
	o.share = option(argc, argv, "share", "");
	o.count = atol(option(argc, argv, "count", "1"));
	o.post = atol(option(argc, argv, "post", "0"));
	o.fresh = atoi(option(argc, argv, "fresh", "0"));
	o.pause_us = atol(option(argc, argv, "pause_us", "0"));
	const char *times = option(argc, argv, "times", NULL);
	if (times && !(o.times = fopen(times, "w")))
		fail(times);

	if (o.post)
		request_length = sprintf(request, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %ld\r\n\r\n",
					 o.path, o.post);
	else
		request_length = sprintf(request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", o.path);
	memset(request + request_length, 'x', o.post);
	request_length += o.post;

	if (*o.share) {
		pthread_t threads[2];
		shared_fd = dial();
		sem_init(&turn[0], 0, 1);
		sem_init(&turn[1], 0, 0);
		for (long i = 0; i < 2; i++)
			pthread_create(&threads[i], NULL, is(o.share, "split") ? split : alternate, (void *)i);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], NULL);
		close(shared_fd);
	} else {
		int fd = -1;
		for (long i = 0; i < o.count; i++) {
			if (fd < 0)
				fd = dial();
			send_request(fd);
			receive_response(fd);
			if (o.fresh) {
				close(fd);
				fd = -1;
			}
		}
		if (fd >= 0)
			close(fd);
	}
	if (o.times)
		fclose(o.times);
	printf("{\"exchanges\":%ld,\"sent\":%lld,\"received\":%lld,\"statuses\":{", exchanges, sent, received);
	const char *comma = "";
	for (int i = 0; i < 1000; i++)
		if (statuses[i]) {
			printf("%s\"%d\":%ld", comma, i, statuses[i]);
			comma = ",";
		}
	printf("}}\n");
	return 0;
}
