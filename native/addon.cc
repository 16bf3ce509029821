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

using Btf = std::unique_ptr<btf, decltype(&btf__free)>;

Btf kernel_btf() {
  LibbpfLog log;
  Btf types(btf__load_vmlinux_btf(), btf__free);
  if (types) return types;
  throw Failure::from_errno(code::kNoBtf, "this kernel's BTF (/sys/kernel/btf/vmlinux) cannot be read", errno,
                            log.tail());
}

// kernelTypes(names): which of the names the running kernel's BTF knows, as booleans. A tracepoint `x` is there if
// the type `btf_trace_x` is.
Napi::Value kernel_types(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto names = strings_argument(info[0], "names");
    const Btf types = kernel_btf();
    auto list = Napi::Array::New(info.Env(), names.size());
    for (uint32_t i = 0; i < names.size(); ++i) {
      list.Set(i, Napi::Boolean::New(info.Env(), btf__find_by_name(types.get(), names[i].c_str()) > 0));
    }
    return list;
  });
}

// kernelEnum(name): the names of an enumeration of the running kernel by number, undefined if it has none of that name.
// Of names with the same number the first stands.
Napi::Value kernel_enum(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto name = string_argument(info[0], "name");
    const Btf types = kernel_btf();
    int id = btf__find_by_name_kind(types.get(), name.c_str(), BTF_KIND_ENUM);
    if (id <= 0) id = btf__find_by_name_kind(types.get(), name.c_str(), BTF_KIND_ENUM64);
    if (id <= 0) return info.Env().Undefined();
    const btf_type* type = btf__type_by_id(types.get(), uint32_t(id));
    auto names = Napi::Object::New(info.Env());
    const auto add = [&](double number, uint32_t name_off) {
      const auto key = Napi::Number::New(info.Env(), number);
      if (!names.Has(key)) names.Set(key, btf__name_by_offset(types.get(), name_off));
    };
    const bool is_signed = btf_kflag(type);
    for (int i = 0; i < btf_vlen(type); ++i) {
      if (btf_is_enum64(type)) {
        const auto& value = btf_enum64(type)[i];
        const uint64_t bits = uint64_t(value.val_hi32) << 32 | value.val_lo32;
        add(is_signed ? double(int64_t(bits)) : double(bits), value.name_off);
      } else {
        const auto& value = btf_enum(type)[i];
        add(is_signed ? double(value.val) : double(uint32_t(value.val)), value.name_off);
      }
    }
    return names;
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Probe", Probe::define(env));
  exports.Set("RunTimeStats", RunTimeStats::define(env));
  exports.Set("kernelTypes", Napi::Function::New(env, kernel_types, "kernelTypes"));
  exports.Set("kernelEnum", Napi::Function::New(env, kernel_enum, "kernelEnum"));
  return exports;
}

}  // namespace

NODE_API_MODULE(sonde, init)

}  // namespace sonde
