// class Probe: one loaded object with its rings, for one JavaScript thread. It only translates; the work is done in
// bpf_object and rings. Nothing is pinned: when the process ends, however it ends, the kernel frees everything.
#pragma once

#include <napi.h>

#include <memory>

#include "bpf_object.h"
#include "ring_watch.h"
#include "rings.h"

namespace sonde {

class Probe : public Napi::ObjectWrap<Probe> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit Probe(const Napi::CallbackInfo& info);
  // By the garbage collector, or when the environment (main thread or worker) ends.
  ~Probe() override;

 private:
  // Everything that close() gives up.
  struct Open {
    BpfObject object;
    Rings rings;
    // Reads the rings' memory: declared behind them, so that it ends first.
    std::unique_ptr<RingWatch> watch;
  };

  Napi::Value attach(const Napi::CallbackInfo& info);
  Napi::Value detach(const Napi::CallbackInfo& info);
  Napi::Value attached(const Napi::CallbackInfo& info);
  Napi::Value drain(const Napi::CallbackInfo& info);
  Napi::Value pending(const Napi::CallbackInfo& info);
  Napi::Value counters(const Napi::CallbackInfo& info);
  Napi::Value ring_use(const Napi::CallbackInfo& info);
  Napi::Value watch(const Napi::CallbackInfo& info);
  Napi::Value arm(const Napi::CallbackInfo& info);
  Napi::Value sweep(const Napi::CallbackInfo& info);
  Napi::Value run(const Napi::CallbackInfo& info);
  Napi::Value map_update(const Napi::CallbackInfo& info);
  Napi::Value map_delete(const Napi::CallbackInfo& info);
  Napi::Value map_lookup(const Napi::CallbackInfo& info);
  Napi::Value map_bytes(const Napi::CallbackInfo& info);
  Napi::Value programs(const Napi::CallbackInfo& info);
  Napi::Value policies(const Napi::CallbackInfo& info);
  Napi::Value closed(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  // Throws ERR_SONDE_CLOSED after close().
  Open& open() const;
  void share_policies(Napi::Env env, uint32_t connections);
  static void end_of_environment(void* probe);

  std::unique_ptr<Open> open_;
  Napi::Reference<Napi::Uint32Array> policies_;
  napi_env environment_;
};

}  // namespace sonde
