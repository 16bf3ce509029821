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

bool valid_length(uint32_t length) { return length % RECORD_ALIGN == 0 && length <= RECORD_MAX; }

bool valid_kind(const std::byte* record) {
  const auto kind = reinterpret_cast<const record_head*>(record)->kind;
  return kind >= RECORD_MESSAGE && kind <= RECORD_DATAGRAM;
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

// Where a record may start later, its length must read 0 until it is committed: every 64 bytes of what was consumed.
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

void Rings::rebase(std::byte* record) const {
  if (origin_ns_ == 0) return;
  // 0 means "none" and stays; what lies before the origin becomes the first nanosecond after it.
  const auto shift = [this](__u64& time) {
    if (time != 0) time = time > origin_ns_ ? time - origin_ns_ : 1;
  };
  auto* head = reinterpret_cast<record_head*>(record);
  shift(head->time);
  if (head->kind == RECORD_MESSAGE) {
    shift(reinterpret_cast<message_record*>(record)->last_time);
  } else if (head->kind == RECORD_TOTALS || head->kind == RECORD_CLOSE) {
    auto* totals = reinterpret_cast<totals_record*>(record);
    shift(totals->last_send);
    shift(totals->last_receive);
  }
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
    heap_.pop_back();
    const uint64_t turn = heap_.empty() ? UINT64_MAX : heap_.front()->time;
    bool more = true;
    do {
      if (cursor.length > capacity - used) {
        for (auto& each : cursors_) publish(each);
        return used;
      }
      std::byte* record = cursor.data + (cursor.position & mask_);
      std::byte* copy = target + used;
      std::memcpy(copy, record, cursor.length);
      clear(cursor, cursor.position, cursor.length);
      rebase(copy);
      used += cursor.length;
      cursor.position += cursor.length;
      ++counts_.records;
      counts_.bytes += cursor.length;
      if (cursor.position - cursor.published >= kPublishBytes) publish(cursor);
      more = look(cursor, horizon);
    } while (more && cursor.time <= turn);
    if (more) {
      heap_.push_back(&cursor);
      std::push_heap(heap_.begin(), heap_.end(), later);
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

void Rings::counters(double* sums) const {
  std::fill_n(sums, size_t(COUNTERS), 0.0);
  for (const auto& cursor : cursors_) {
    for (size_t i = 0; i < size_t(COUNTERS); ++i) {
      sums[i] += double(__atomic_load_n(&cursor.header->counters[i], __ATOMIC_RELAXED));
    }
  }
}

}  // namespace sonde
