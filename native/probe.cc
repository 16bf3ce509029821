#include "probe.h"

#include <string>
#include <utility>

#include "arguments.h"
#include "failure.h"

namespace sonde {
namespace {

// The kernel side keeps a margin and a share for the records of a socket's life: less would leave no room.
constexpr uint32_t kRingMin = 64 << 10;
constexpr uint32_t kRingMax = 1u << 30;
constexpr uint32_t kConnectionsMax = 1u << 24;
constexpr uint32_t kDelayMaxMs = 3'600'000;

Napi::Uint8Array to_bytes(Napi::Env env, const std::vector<uint8_t>& bytes) {
  auto array = Napi::Uint8Array::New(env, bytes.size());
  std::copy(bytes.begin(), bytes.end(), array.Data());
  return array;
}

}  // namespace

Napi::Function Probe::define(Napi::Env env) {
  return DefineClass(env, "Probe",
                     {
                         InstanceMethod<&Probe::attach>("attach"),
                         InstanceMethod<&Probe::detach>("detach"),
                         InstanceMethod<&Probe::attached>("attached"),
                         InstanceMethod<&Probe::drain>("drain"),
                         InstanceMethod<&Probe::pending>("pending"),
                         InstanceMethod<&Probe::counters>("counters"),
                         InstanceMethod<&Probe::ring_use>("ringUse"),
                         InstanceMethod<&Probe::watch>("watch"),
                         InstanceMethod<&Probe::arm>("arm"),
                         InstanceMethod<&Probe::sweep>("sweep"),
                         InstanceMethod<&Probe::run>("run"),
                         InstanceMethod<&Probe::map_update>("mapUpdate"),
                         InstanceMethod<&Probe::map_delete>("mapDelete"),
                         InstanceMethod<&Probe::map_lookup>("mapLookup"),
                         InstanceMethod<&Probe::map_bytes>("mapBytes"),
                         InstanceMethod<&Probe::programs>("programs"),
                         InstanceMethod<&Probe::close>("close"),
                         InstanceAccessor<&Probe::policies>("policies"),
                         InstanceAccessor<&Probe::closed>("closed"),
                     });
}

Probe::Probe(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Probe>(info), environment_(info.Env()) {
  guarded(info.Env(), [&] {
    const auto options = object_argument(info[0], "options");
    LoadOptions load;
    load.path = string_argument(options.Get("object"), "options.object");
    load.ring_bytes = integer_argument(options.Get("ringBytes"), "options.ringBytes", kRingMin, kRingMax);
    if ((load.ring_bytes & (load.ring_bytes - 1)) != 0) {
      throw Failure(code::kArgument, "options.ringBytes must be a power of two");
    }
    const auto connections =
        integer_argument(options.Get("maxConnections"), "options.maxConnections", 1, kConnectionsMax);
    load.rodata = numbers_argument(options.Get("rodata"), "options.rodata");
    load.programs = strings_argument(options.Get("programs"), "options.programs");
    load.entries.emplace_back("policies", connections);
    for (const auto& [map, entries] : numbers_argument(options.Get("mapEntries"), "options.mapEntries")) {
      const auto number = Napi::Number::New(info.Env(), entries);
      load.entries.emplace_back(map, integer_argument(number, "options.mapEntries", 1, kConnectionsMax));
    }
    const Napi::Value origin = options.Get("originNs");
    const uint64_t origin_ns = origin.IsUndefined() ? 0 : bigint_argument(origin, "options.originNs");

    BpfObject object(load);
    const uint32_t cpus = object.cpus();
    Rings rings(object.map_memory("rings", cpus * Rings::value_size(load.ring_bytes)), cpus, load.ring_bytes,
                origin_ns);
    open_.reset(new Open{std::move(object), std::move(rings), nullptr});
    share_policies(info.Env(), connections);
    napi_add_env_cleanup_hook(environment_, end_of_environment, this);
  });
}

Probe::~Probe() {
  if (open_) napi_remove_env_cleanup_hook(environment_, end_of_environment, this);
}

// process.exit() or worker.terminate(): detach before the environment's objects are finalized in their own time.
void Probe::end_of_environment(void* probe) { static_cast<Probe*>(probe)->open_.reset(); }

Probe::Open& Probe::open() const {
  if (!open_) throw Failure(code::kClosed, "the probe is closed");
  return *open_;
}

// JavaScript writes policies into the map's own memory. The mapping belongs to the buffer: it lives as long as either
// the buffer or the environment, and close() detaches the buffer, so that no view reaches unmapped memory.
void Probe::share_policies(Napi::Env env, uint32_t connections) {
  const size_t bytes = size_t(connections) * 8;  // the kernel rounds an array's values up to 8 bytes
  auto* memory = new Mapping(open_->object.map_memory("policies", bytes));
  auto buffer = Napi::ArrayBuffer::New(
      env, memory->data(), bytes, [](Napi::Env, void*, Mapping* mapping) { delete mapping; }, memory);
  policies_ = Napi::Persistent(Napi::Uint32Array::New(env, bytes / 4, buffer, 0));
}

Napi::Value Probe::close(const Napi::CallbackInfo& info) {
  if (!open_) return info.Env().Undefined();
  policies_.Value().ArrayBuffer().Detach();
  policies_.Reset();
  napi_remove_env_cleanup_hook(environment_, end_of_environment, this);
  open_.reset();
  return info.Env().Undefined();
}

Napi::Value Probe::closed(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), !open_); }

Napi::Value Probe::policies(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    open();
    return policies_.Value();
  });
}

Napi::Value Probe::attach(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto program = string_argument(info[0], "program");
    open().object.attach(program, optional_string_argument(info[1], "map").value_or("sockets"));
    return info.Env().Undefined();
  });
}

Napi::Value Probe::detach(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    open().object.detach(optional_string_argument(info[0], "program"));
    return info.Env().Undefined();
  });
}

Napi::Value Probe::attached(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto names = open().object.attached();
    auto list = Napi::Array::New(info.Env(), names.size());
    for (uint32_t i = 0; i < names.size(); ++i) list.Set(i, names[i]);
    return list;
  });
}

Napi::Value Probe::drain(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto& rings = open().rings;
    if (!info[0].IsArrayBuffer()) throw Failure(code::kArgument, "target must be an ArrayBuffer");
    auto target = info[0].As<Napi::ArrayBuffer>();
    // Too small also when detached: it could not take the longest record, and the ring would stand still.
    if (target.ByteLength() < RECORD_MAX) {
      throw Failure(code::kArgument, "target must have at least " + std::to_string(RECORD_MAX) + " bytes");
    }
    if (!info[1].IsBoolean()) throw Failure(code::kArgument, "flush must be a boolean");
    const size_t bytes =
        rings.drain(static_cast<std::byte*>(target.Data()), target.ByteLength(), info[1].As<Napi::Boolean>().Value());
    return Napi::Number::New(info.Env(), double(bytes));
  });
}

Napi::Value Probe::pending(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), double(open().rings.pending())); });
}

Napi::Value Probe::counters(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto& rings = open().rings;
    const auto& own = rings.counts();
    const double more[] = {double(own.records), double(own.bad), double(own.resyncs), double(own.bytes),
                           double(own.drains)};
    auto array = Napi::Float64Array::New(info.Env(), size_t(COUNTERS) + std::size(more));
    rings.counters(array.Data());
    std::copy(std::begin(more), std::end(more), array.Data() + COUNTERS);
    return array;
  });
}

Napi::Value Probe::ring_use(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), open().rings.take_use()); });
}

Napi::Value Probe::watch(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto& opened = open();
    if (!info[0].IsFunction()) throw Failure(code::kArgument, "callback must be a function");
    if (opened.watch) throw Failure(code::kArgument, "the rings are watched already");
    opened.watch = std::make_unique<RingWatch>(info.Env(), info[0].As<Napi::Function>(), opened.rings.headers());
    // Hooks run in reverse order: the thread must end before what it calls through, which brought a hook of its own.
    napi_remove_env_cleanup_hook(environment_, end_of_environment, this);
    napi_add_env_cleanup_hook(environment_, end_of_environment, this);
    return info.Env().Undefined();
  });
}

Napi::Value Probe::arm(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto& opened = open();
    if (!opened.watch) throw Failure(code::kArgument, "the rings are not watched");
    opened.watch->arm(std::chrono::milliseconds(integer_argument(info[0], "checkMs", 1, kDelayMaxMs)),
                      std::chrono::milliseconds(integer_argument(info[1], "atMostMs", 1, kDelayMaxMs)));
    return info.Env().Undefined();
  });
}

Napi::Value Probe::sweep(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return Napi::Number::New(info.Env(), double(open().object.iterate(string_argument(info[0], "program"))));
  });
}

Napi::Value Probe::run(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto& object = open().object;
    const auto name = string_argument(info[0], "program");
    auto context = info[1].IsUndefined() ? std::vector<uint8_t>() : bytes_argument(info[1], "input");
    const uint32_t retval = object.run(name, context);
    auto result = Napi::Object::New(info.Env());
    result.Set("retval", Napi::Number::New(info.Env(), int32_t(retval)));
    result.Set("output", to_bytes(info.Env(), context));
    return result;
  });
}

Napi::Value Probe::map_update(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    open().object.update(string_argument(info[0], "map"), bytes_argument(info[1], "key"),
                         bytes_argument(info[2], "value"));
    return info.Env().Undefined();
  });
}

Napi::Value Probe::map_delete(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const bool found = open().object.remove(string_argument(info[0], "map"), bytes_argument(info[1], "key"));
    return Napi::Boolean::New(info.Env(), found);
  });
}

Napi::Value Probe::map_lookup(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    std::vector<uint8_t> value;
    const bool found = open().object.lookup(string_argument(info[0], "map"), bytes_argument(info[1], "key"), value);
    if (!found) return info.Env().Undefined();
    return to_bytes(info.Env(), value);
  });
}

Napi::Value Probe::map_bytes(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), double(open().object.map_bytes())); });
}

Napi::Value Probe::programs(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto programs = open().object.programs();
    auto list = Napi::Array::New(info.Env(), programs.size());
    for (uint32_t i = 0; i < programs.size(); ++i) {
      const auto& each = programs[i];
      auto entry = Napi::Object::New(info.Env());
      entry.Set("name", each.name);
      entry.Set("id", double(each.id));
      entry.Set("attached", each.attached);
      entry.Set("runs", double(each.runs));
      entry.Set("runTimeNs", double(each.run_time_ns));
      entry.Set("recursionMisses", double(each.recursion_misses));
      list.Set(i, entry);
    }
    return list;
  });
}

}  // namespace sonde
