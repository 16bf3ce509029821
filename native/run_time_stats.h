// class RunTimeStats: while one is open anywhere, the kernel measures the run time of every BPF program.
#pragma once

#include <napi.h>

#include "resource.h"

namespace sonde {

class RunTimeStats : public Napi::ObjectWrap<RunTimeStats> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit RunTimeStats(const Napi::CallbackInfo& info);

 private:
  Napi::Value close(const Napi::CallbackInfo& info);
  Fd fd_;
};

}  // namespace sonde
