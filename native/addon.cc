// The module: what JavaScript sees of the native side. It may be loaded by several threads of a process.
#include <bpf/btf.h>
#include <napi.h>

#include <memory>

#include "arguments.h"
#include "failure.h"
#include "libbpf_log.h"
#include "probe.h"
#include "run_time_stats.h"

namespace sonde {
namespace {

// kernelTypes(names): which of the names the running kernel's BTF knows, as booleans. A tracepoint `x` is there if
// the type `btf_trace_x` is.
Napi::Value kernel_types(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto names = strings_argument(info[0], "names");
    LibbpfLog log;
    const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_vmlinux_btf(), btf__free);
    if (!types) {
      throw Failure::from_errno(code::kNoBtf, "this kernel's BTF (/sys/kernel/btf/vmlinux) cannot be read", errno,
                                log.tail());
    }
    auto list = Napi::Array::New(info.Env(), names.size());
    for (uint32_t i = 0; i < names.size(); ++i) {
      list.Set(i, Napi::Boolean::New(info.Env(), btf__find_by_name(types.get(), names[i].c_str()) > 0));
    }
    return list;
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Probe", Probe::define(env));
  exports.Set("RunTimeStats", RunTimeStats::define(env));
  exports.Set("kernelTypes", Napi::Function::New(env, kernel_types, "kernelTypes"));
  return exports;
}

}  // namespace

NODE_API_MODULE(sonde, init)

}  // namespace sonde
