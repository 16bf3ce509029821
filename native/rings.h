// The per-CPU rings of bpf/include/record.h, read from user space. One reader: the JavaScript thread that owns the
// probe. The kernel adds to `head` and commits a record by writing its length last; the reader owns `tail`.
#pragma once

#include <linux/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../bpf/include/record.h"
#include "resource.h"

namespace sonde {

class Rings {
 public:
  // What the reader itself counted since the start.
  struct Counts {
    uint64_t records = 0;  // handed over
    uint64_t bad = 0;      // with an impossible length or an unknown kind: skipped
    uint64_t resyncs = 0;  // times that a ring's content was given up because of a bad length
    uint64_t bytes = 0;    // of the records handed over
    uint64_t drains = 0;
  };

  // Of one value of the map `rings`.
  static constexpr uint64_t value_size(uint32_t ring_bytes) { return sizeof(ring_header) + ring_bytes + RING_SLACK; }

  Rings(Mapping mapping, uint32_t cpus, uint32_t ring_bytes, uint64_t origin_ns);

  // Copies committed records to `target`, merged by their time, and gives their room back to the kernel. Without
  // `flush`, records younger than the holdback stay, so that two CPUs' records of one socket come in order.
  // Times are made relative to the origin. Returns the bytes written, at most `capacity` (≥ RECORD_MAX).
  size_t drain(std::byte* target, size_t capacity, bool flush);

  // Committed records that were not read yet. It walks them.
  uint64_t pending() const;

  // Highest share of a ring that was taken: now, or at any drain since the last call.
  double take_use();

  // Sums over the CPUs; `sums` has COUNTERS elements.
  void counters(double* sums) const;

  const Counts& counts() const { return counts_; }

  // One a CPU, for who only looks whether there is something to drain.
  std::vector<const ring_header*> headers() const;

 private:
  // A CPU's ring while it is drained. `position` is published as the tail in steps.
  struct Cursor {
    ring_header* header = nullptr;
    std::byte* data = nullptr;
    uint64_t head = 0;
    uint64_t position = 0;
    uint64_t published = 0;
    uint64_t time = 0;    // of the record at position
    uint32_t length = 0;  // of the record at position
  };

  bool look(Cursor& cursor, uint64_t horizon);
  void resync(Cursor& cursor);
  void clear(const Cursor& cursor, uint64_t from, uint64_t bytes);
  void publish(Cursor& cursor);
  void move(std::byte* record, std::byte* copy, uint32_t length) const;
  size_t take(Cursor& cursor, std::byte* target, size_t capacity, uint64_t until);
  // A time relative to the origin. 0 means "none" and stays; what lies before the origin becomes its first nanosecond.
  uint64_t relative(uint64_t time) const { return time > origin_ns_ ? time - origin_ns_ : time != 0 ? 1 : 0; }

  Mapping mapping_;
  uint64_t mask_;
  uint64_t ring_bytes_;
  uint64_t origin_ns_;
  double use_ = 0;
  std::vector<Cursor> cursors_;
  std::vector<Cursor*> heap_;
  Counts counts_;
};

}  // namespace sonde
