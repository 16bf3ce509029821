#include "rings.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sonde {
namespace {

// How long a record may take from the reading of its time to its commit, and TCP's clock may lag behind.
constexpr uint64_t kHoldbackNs = 200'000;
// Give room back early enough that a long drain does not keep the kernel waiting.
constexpr uint64_t kPublishBytes = 64 << 10;

uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

uint64_t load_acquire(const __u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }

uint32_t load_length(const std::byte* record) {
  return __atomic_load_n(reinterpret_cast<const uint32_t*>(record), __ATOMIC_ACQUIRE);
}

bool valid_length(uint32_t length) { return length % RECORD_ALIGN == 0 && length <= RECORD_MAX; }  // or 0: not whole

bool valid_kind(const std::byte* record) {
  const auto kind = reinterpret_cast<const record_head*>(record)->kind;
  return kind >= RECORD_MESSAGE && kind <= RECORD_LISTENER;
}

}  // namespace

Rings::Rings(Mapping mapping, uint32_t cpus, uint32_t ring_bytes, uint64_t origin_ns)
    : mapping_(std::move(mapping)), mask_(ring_bytes - 1), ring_bytes_(ring_bytes), origin_ns_(origin_ns) {
  cursors_.resize(cpus);
  heap_.reserve(cpus);
  for (uint32_t cpu = 0; cpu < cpus; ++cpu) {
    auto* value = mapping_.data() + cpu * value_size(ring_bytes);
    cursors_[cpu].header = reinterpret_cast<ring_header*>(value);
    cursors_[cpu].data = value + sizeof(ring_header);
    // The map is fresh, but the position is the map's in any case.
    cursors_[cpu].position = cursors_[cpu].published = cursors_[cpu].header->tail;
  }
}

// Makes the record at the cursor's position the current one; false if there is none to take now.
bool Rings::look(Cursor& cursor, uint64_t horizon) {
  while (cursor.position < cursor.head) {
    std::byte* record = cursor.data + (cursor.position & mask_);
    const uint32_t length = load_length(record);
    if (length == 0) return false;  // reserved, not committed yet
    if (!valid_length(length) || length > cursor.head - cursor.position) {
      resync(cursor);
      return false;
    }
    if (!valid_kind(record)) {
      ++counts_.bad;
      clear(cursor, cursor.position, length);
      cursor.position += length;
      continue;
    }
    cursor.time = reinterpret_cast<const record_head*>(record)->time;
    cursor.length = length;
    return cursor.time <= horizon;
  }
  return false;
}

// A length that cannot be: where the next record starts is not known, so what is in the ring is given up.
void Rings::resync(Cursor& cursor) {
  ++counts_.bad;
  ++counts_.resyncs;
  clear(cursor, cursor.position, std::min(cursor.head - cursor.position, ring_bytes_));
  cursor.position = cursor.head;
}

// For what is skipped: see take.
void Rings::clear(const Cursor& cursor, uint64_t from, uint64_t bytes) {
  for (uint64_t done = 0; done < bytes; done += RECORD_ALIGN) {
    *reinterpret_cast<uint32_t*>(cursor.data + ((from + done) & mask_)) = 0;
  }
}

void Rings::publish(Cursor& cursor) {
  if (cursor.published == cursor.position) return;
  __atomic_store_n(&cursor.header->tail, cursor.position, __ATOMIC_RELEASE);
  cursor.published = cursor.position;
}

// Copies a record and clears it behind itself, a cache line at a time.
void Rings::move(std::byte* record, std::byte* copy, uint32_t length) const {
  // Read before the copy: reading back what was just written by wide stores costs 15 ns.
  const auto* head = reinterpret_cast<const record_head*>(record);
  const auto kind = head->kind;
  const uint64_t time = relative(head->time);
  uint64_t first = 0;
  uint64_t second = 0;
  if (kind == RECORD_MESSAGE) {
    first = relative(reinterpret_cast<const message_record*>(record)->last_time);
  } else if (kind == RECORD_TOTALS || kind == RECORD_CLOSE) {
    first = relative(reinterpret_cast<const totals_record*>(record)->last_send);
    second = relative(reinterpret_cast<const totals_record*>(record)->last_receive);
  }
  for (uint32_t done = 0; done < length; done += RECORD_ALIGN) {
    std::memcpy(copy + done, record + done, RECORD_ALIGN);
    // Where a record may start later, its length must read 0 until it is committed. In the slack none ever starts.
    *reinterpret_cast<uint32_t*>(record + done) = 0;
  }
  reinterpret_cast<record_head*>(copy)->time = time;
  if (kind == RECORD_MESSAGE) {
    reinterpret_cast<message_record*>(copy)->last_time = first;
  } else if (kind == RECORD_TOTALS || kind == RECORD_CLOSE) {
    reinterpret_cast<totals_record*>(copy)->last_send = first;
    reinterpret_cast<totals_record*>(copy)->last_receive = second;
  }
}

// Takes the cursor's record and those after it that are as good and not younger than `until`. Kept in local variables,
// since the compiler must assume that the copy overwrites anything else. Returns the bytes written; 0 if the first
// record has no room.
size_t Rings::take(Cursor& cursor, std::byte* target, size_t capacity, uint64_t until) {
  std::byte* const data = cursor.data;
  const uint64_t head = cursor.head;
  const uint64_t mask = mask_;
  uint64_t position = cursor.position;
  uint64_t published = cursor.published;
  uint64_t records = 0;
  uint32_t length = cursor.length;
  size_t used = 0;
  while (length <= capacity - used) {
    move(data + (position & mask), target + used, length);
    used += length;
    position += length;
    ++records;
    if (position - published >= kPublishBytes) {
      __atomic_store_n(&cursor.header->tail, position, __ATOMIC_RELEASE);
      published = position;
    }
    if (position == head) break;
    const std::byte* next = data + (position & mask);
    length = load_length(next);
    if (length == 0 || !valid_length(length) || length > head - position || !valid_kind(next) ||
        reinterpret_cast<const record_head*>(next)->time > until) {
      break;
    }
  }
  cursor.position = position;
  cursor.published = published;
  counts_.records += records;
  counts_.bytes += used;
  return used;
}

size_t Rings::drain(std::byte* target, size_t capacity, bool flush) {
  ++counts_.drains;
  // The clock first: a record that is committed after the heads were read is younger than the horizon.
  const uint64_t horizon = flush ? UINT64_MAX : now_ns() - kHoldbackNs;
  for (auto& cursor : cursors_) {
    cursor.head = load_acquire(cursor.header->head);
    if (cursor.head - cursor.position > ring_bytes_) resync(cursor);
    use_ = std::max(use_, double(cursor.head - cursor.position) / double(ring_bytes_));
  }
  // A heap of the CPUs by the time of their next record. Runs of one CPU leave it untouched.
  const auto later = [](const Cursor* a, const Cursor* b) { return a->time > b->time; };
  heap_.clear();
  for (auto& cursor : cursors_) {
    if (look(cursor, horizon)) heap_.push_back(&cursor);
  }
  std::make_heap(heap_.begin(), heap_.end(), later);

  size_t used = 0;
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Cursor& cursor = *heap_.back();
    const uint64_t turn = heap_.size() == 1 ? horizon : std::min(horizon, heap_.front()->time);
    const size_t took = take(cursor, target + used, capacity - used, turn);
    if (took == 0) break;
    used += took;
    if (look(cursor, horizon)) {
      std::push_heap(heap_.begin(), heap_.end(), later);
    } else {
      heap_.pop_back();
    }
  }
  for (auto& cursor : cursors_) publish(cursor);
  return used;
}

uint64_t Rings::pending() const {
  uint64_t records = 0;
  for (const auto& cursor : cursors_) {
    const uint64_t head = load_acquire(cursor.header->head);
    uint64_t position = cursor.position;
    if (head - position > ring_bytes_) continue;
    while (position < head) {
      const uint32_t length = load_length(cursor.data + (position & mask_));
      if (length == 0 || !valid_length(length)) break;
      ++records;
      position += length;
    }
  }
  return records;
}

double Rings::take_use() {
  double use = use_;
  for (const auto& cursor : cursors_) {
    use = std::max(use, double(load_acquire(cursor.header->head) - cursor.position) / double(ring_bytes_));
  }
  use_ = 0;
  return std::min(use, 1.0);
}

std::vector<const ring_header*> Rings::headers() const {
  std::vector<const ring_header*> headers;
  for (const auto& cursor : cursors_) headers.push_back(cursor.header);
  return headers;
}

void Rings::counters(double* sums) const {
  std::fill_n(sums, size_t(COUNTERS), 0.0);
  for (const auto& cursor : cursors_) {
    for (size_t i = 0; i < size_t(COUNTERS); ++i) {
      sums[i] += double(__atomic_load_n(&cursor.header->counters[i], __ATOMIC_RELAXED));
    }
  }
}

}  // namespace sonde
