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
struct ring_header ring;

enum record_kind kind;
enum record_direction direction;
enum record_flag flag;
enum socket_role role;
enum close_reason reason;
enum policy policy;
enum counter counter;
