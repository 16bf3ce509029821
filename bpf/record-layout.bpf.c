/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Makes the compiler emit the type information of everything in record.h, and check its padding. */
#include <linux/types.h>

#include "record.h"

struct record_head head;
struct message_record message;
struct open_record open;
struct owner_record owner;
struct totals_record totals;
struct datagram_record datagram;
struct tcp_record tcp;
struct tcp_event_record tcp_event;
struct listener_record listener;
struct ring_header ring;

enum record_kind kind;
enum record_direction direction;
enum record_flag flag;
enum socket_role role;
enum close_reason reason;
enum policy policy;
enum counter counter;
enum tcp_event event;
enum retransmit_cause retransmit;
enum switched switched;

/* What record.h has as macros. */
enum layout {
	LAYOUT_ALIGN = RECORD_ALIGN,
	LAYOUT_MAX = RECORD_MAX,
	LAYOUT_PAYLOAD_MAX = PAYLOAD_MAX,
} layout;

#define CHECK(record) \
	_Static_assert(sizeof(struct record) % RECORD_ALIGN == 0, #record " is not a multiple of 64 bytes")
CHECK(message_record);
CHECK(open_record);
CHECK(owner_record);
CHECK(totals_record);
CHECK(datagram_record);
CHECK(tcp_record);
CHECK(tcp_event_record);
CHECK(listener_record);
CHECK(ring_header);
