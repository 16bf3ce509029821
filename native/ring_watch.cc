#include "ring_watch.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "failure.h"

namespace sonde {

RingWatch::RingWatch(Napi::Env env, Napi::Function callback, std::vector<const ring_header*> rings)
    : rings_(std::move(rings)), callback_(Napi::ThreadSafeFunction::New(env, callback, "sonde-watch", 0, 1)) {
  // Signals are for Node's threads: the new one inherits this mask.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread(&RingWatch::run, this);
  } catch (const std::system_error& error) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    callback_.Release();
    throw Failure::from_errno(code::kRun, "cannot start the thread that watches the rings", error.code().value());
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

RingWatch::~RingWatch() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
  callback_.Release();
}

void RingWatch::arm(std::chrono::milliseconds check, std::chrono::milliseconds at_most) {
  {
    std::lock_guard lock(mutex_);
    armed_ = true;
    check_ = check;
    deadline_ = Clock::now() + at_most;
  }
  changed_.notify_one();
}

void RingWatch::run() {
  pthread_setname_np(pthread_self(), "sonde-watch");
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (!armed_) {
      changed_.wait(lock);
      continue;
    }
    changed_.wait_until(lock, std::min(Clock::now() + check_, deadline_));
    if (ending_ || !armed_ || (Clock::now() < deadline_ && !any_filled())) continue;
    armed_ = false;
    // The queue has no limit and at most one call in it: this neither blocks nor fails, but for an environment at its
    // end, which needs no call.
    callback_.NonBlockingCall();
  }
}

bool RingWatch::any_filled() const {
  return std::any_of(rings_.begin(), rings_.end(), [](const ring_header* ring) {
    return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) != __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
  });
}

}  // namespace sonde
