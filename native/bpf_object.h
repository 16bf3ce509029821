// A loaded BPF object: its programs, links and maps. All calls come from the JavaScript thread that made it.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "resource.h"

namespace sonde {

struct LoadOptions {
  std::string path;
  // Values for `const volatile` variables of the object, by name.
  std::vector<std::pair<std::string, double>> rodata;
  // Programs to load; no other is.
  std::vector<std::string> programs;
  // Number of entries, by map.
  std::vector<std::pair<std::string, uint32_t>> entries;
  uint32_t ring_bytes = 0;
};

struct ProgramInfo {
  std::string name;
  uint32_t id = 0;
  bool attached = false;
  uint64_t runs = 0;
  uint64_t run_time_ns = 0;
  uint64_t recursion_misses = 0;
};

class BpfObject {
 public:
  // Opens and loads. Throws Failure.
  explicit BpfObject(const LoadOptions& options);

  // `map`: what an iterator over socket storage walks.
  void attach(const std::string& program, const std::string& map);
  // Without a name: all.
  void detach(const std::optional<std::string>& program);
  std::vector<std::string> attached() const;

  // Runs an attached iterator to its end. Returns the nanoseconds that it took.
  uint64_t iterate(const std::string& program);

  // Runs a SEC("syscall") program; `context` is input and output.
  uint32_t run(const std::string& program, std::vector<uint8_t>& context);

  void update(const std::string& map, const std::vector<uint8_t>& key, const std::vector<uint8_t>& value);
  // Both false if there is no such key.
  bool remove(const std::string& map, const std::vector<uint8_t>& key);
  bool lookup(const std::string& map, const std::vector<uint8_t>& key, std::vector<uint8_t>& value);

  std::vector<ProgramInfo> programs() const;
  // What the kernel charges for all maps.
  uint64_t map_bytes() const;

  uint32_t cpus() const { return cpus_; }
  // A shared mapping of a BPF_F_MMAPABLE array map, whole.
  Mapping map_memory(const std::string& map, size_t bytes) const;

 private:
  struct CloseObject {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
  };
  struct DestroyLink {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
  };

  bpf_program* program(const std::string& name, bool loaded) const;
  bpf_map* map(const std::string& name) const;
  bpf_map* map_checked(const std::string& name, size_t key_size, std::optional<size_t> value_size) const;
  void set_rodata(const std::string& name, double value);
  void size_map(const char* name, uint32_t entries, uint32_t value_size);

  uint32_t cpus_ = 0;
  // Links go before the object: members are destroyed in reverse order.
  std::unique_ptr<bpf_object, CloseObject> object_;
  std::map<std::string, std::unique_ptr<bpf_link, DestroyLink>> links_;
};

}  // namespace sonde
