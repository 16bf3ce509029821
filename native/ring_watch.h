// Looks at the rings from a thread of its own while JavaScript sleeps. A wake-up of Node costs as much as hundreds of
// records, one of this thread next to nothing: a machine at rest is left at rest.
#pragma once

#include <linux/types.h>
#include <napi.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "../bpf/include/record.h"

namespace sonde {

class RingWatch {
 public:
  // `callback` runs in JavaScript's thread. The rings must outlive the watch. Throws Failure if there is no thread.
  RingWatch(Napi::Env env, Napi::Function callback, std::vector<const ring_header*> rings);
  ~RingWatch();
  RingWatch(const RingWatch&) = delete;
  RingWatch& operator=(const RingWatch&) = delete;

  // Calls back once: when a ring holds something, looked at each `check`, or after `at_most` in any case.
  void arm(std::chrono::milliseconds check, std::chrono::milliseconds at_most);

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  bool any_filled() const;

  const std::vector<const ring_header*> rings_;
  Napi::ThreadSafeFunction callback_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool armed_ = false;
  bool ending_ = false;
  Clock::duration check_{};
  Clock::time_point deadline_;
  std::thread thread_;
};

}  // namespace sonde
