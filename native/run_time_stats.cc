#include "run_time_stats.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "arguments.h"
#include "failure.h"

namespace sonde {

Napi::Function RunTimeStats::define(Napi::Env env) {
  return DefineClass(env, "RunTimeStats", {InstanceMethod<&RunTimeStats::close>("close")});
}

RunTimeStats::RunTimeStats(const Napi::CallbackInfo& info) : Napi::ObjectWrap<RunTimeStats>(info) {
  guarded(info.Env(), [&] {
    fd_ = Fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
    if (!fd_) throw Failure::from_errno(code::kRun, "cannot enable the run time statistics", errno);
  });
}

Napi::Value RunTimeStats::close(const Napi::CallbackInfo& info) {
  Fd ended(std::move(fd_));
  return info.Env().Undefined();
}

}  // namespace sonde
