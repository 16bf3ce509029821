#include "bpf_object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "failure.h"
#include "libbpf_log.h"
#include "rings.h"

namespace sonde {

Failure Failure::from_errno(const char* code, const std::string& what, int error, std::string log) {
  // EACCES is also what the verifier answers; EPERM is always about rights.
  if (error == EPERM) code = code::kPermission;
  return Failure(code, what + ": " + std::strerror(error), std::move(log));
}

namespace {

[[noreturn]] void no_such(const char* kind, const std::string& name) {
  throw Failure(code::kArgument, std::string("the object has no ") + kind + " '" + name + "'");
}

uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

// Writes a number into a variable of `size` bytes; false if it does not fit.
bool write_number(void* target, uint32_t size, bool is_signed, double value) {
  const double limit = std::ldexp(1.0, int(size) * 8 - (is_signed ? 1 : 0));
  if (std::trunc(value) != value || value >= limit || value < (is_signed ? -limit : 0)) return false;
  const uint64_t bits = value < 0 ? uint64_t(int64_t(value)) : uint64_t(value);
  std::memcpy(target, &bits, size);  // little-endian hosts only, as is the BPF object
  return true;
}

}  // namespace

BpfObject::BpfObject(const LoadOptions& options) {
  LibbpfLog log;
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) throw Failure::from_errno(code::kLoad, "cannot count the CPUs", -cpus, log.tail());
  cpus_ = uint32_t(cpus);

  object_.reset(bpf_object__open_file(options.path.c_str(), nullptr));
  if (!object_) throw Failure::from_errno(code::kLoad, "cannot open " + options.path, errno, log.tail());

  bpf_program* each;
  bpf_object__for_each_program(each, object_.get()) bpf_program__set_autoload(each, false);
  for (const auto& name : options.programs) bpf_program__set_autoload(program(name, false), true);
  for (const auto& [name, value] : options.rodata) set_rodata(name, value);
  for (const auto& [name, entries] : options.entries) size_map(name.c_str(), entries, 0);
  size_map("rings", cpus_, uint32_t(Rings::value_size(options.ring_bytes)));

  const int error = [this] {
    const SignalsHeld held;
    return bpf_object__load(object_.get());
  }();
  if (error == 0) return;
  if (::access("/sys/kernel/btf/vmlinux", R_OK) != 0) {
    throw Failure(code::kNoBtf, "this kernel has no BTF (/sys/kernel/btf/vmlinux)", log.tail());
  }
  throw Failure::from_errno(code::kLoad, "the kernel refused " + options.path, -error, log.tail());
}

bpf_program* BpfObject::program(const std::string& name, bool loaded) const {
  bpf_program* found = bpf_object__find_program_by_name(object_.get(), name.c_str());
  if (found == nullptr) no_such("program", name);
  if (loaded && bpf_program__fd(found) < 0) {
    throw Failure(code::kArgument, "program '" + name + "' was not loaded");
  }
  return found;
}

bpf_map* BpfObject::map(const std::string& name) const {
  bpf_map* found = bpf_object__find_map_by_name(object_.get(), name.c_str());
  if (found == nullptr) no_such("map", name);
  return found;
}

void BpfObject::size_map(const char* name, uint32_t entries, uint32_t value_size) {
  bpf_map* found = map(name);
  int error = entries != 0 ? bpf_map__set_max_entries(found, entries) : 0;
  if (error == 0 && value_size != 0) error = bpf_map__set_value_size(found, value_size);
  if (error != 0) throw Failure::from_errno(code::kLoad, std::string("cannot size map '") + name + "'", -error);
}

void BpfObject::set_rodata(const std::string& name, double value) {
  const btf* types = bpf_object__btf(object_.get());
  bpf_map* section = bpf_object__find_map_by_name(object_.get(), ".rodata");
  const int id = types != nullptr ? btf__find_by_name_kind(types, ".rodata", BTF_KIND_DATASEC) : -1;
  if (section == nullptr || id <= 0) no_such("section", ".rodata");
  size_t size = 0;
  auto* data = static_cast<char*>(const_cast<void*>(bpf_map__initial_value(section, &size)));
  const btf_type* datasec = btf__type_by_id(types, uint32_t(id));
  const btf_var_secinfo* variable = btf_var_secinfos(datasec);
  for (int i = 0; i < btf_vlen(datasec); ++i, ++variable) {
    const btf_type* type = btf__type_by_id(types, variable->type);
    if (name != btf__name_by_offset(types, type->name_off)) continue;
    const btf_type* base = btf__type_by_id(types, uint32_t(btf__resolve_type(types, type->type)));
    const bool number = btf_is_int(base) || btf_is_any_enum(base);
    if (!number || variable->size > 8 || data == nullptr || variable->offset + variable->size > size) {
      throw Failure(code::kArgument, "variable '" + name + "' is not a number");
    }
    const bool is_signed = btf_is_int(base) && (btf_int_encoding(base) & BTF_INT_SIGNED) != 0;
    if (!write_number(data + variable->offset, variable->size, is_signed, value)) {
      throw Failure(code::kArgument, "the value of variable '" + name + "' does not fit");
    }
    return;
  }
  no_such("read-only variable", name);
}

void BpfObject::attach(const std::string& name, const std::string& walked) {
  bpf_program* found = program(name, true);
  if (links_.count(name) != 0) return;
  LibbpfLog log;
  bpf_link* link;
  if (std::string(bpf_program__section_name(found)) == "iter/bpf_sk_storage_map") {
    bpf_iter_link_info info{};
    info.map.map_fd = uint32_t(bpf_map__fd(map(walked)));
    DECLARE_LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
    link = bpf_program__attach_iter(found, &options);
  } else {
    link = bpf_program__attach(found);
  }
  if (link == nullptr) throw Failure::from_errno(code::kAttach, "cannot attach '" + name + "'", errno, log.tail());
  links_.emplace(name, link);
}

void BpfObject::detach(const std::optional<std::string>& name) {
  if (!name) {
    links_.clear();
    return;
  }
  program(*name, false);
  links_.erase(*name);
}

std::vector<std::string> BpfObject::attached() const {
  std::vector<std::string> names;
  for (const auto& each : links_) names.push_back(each.first);
  return names;
}

uint64_t BpfObject::iterate(const std::string& name) {
  bpf_program* found = program(name, true);
  const auto link = links_.find(name);
  if (link == links_.end() || bpf_program__expected_attach_type(found) != BPF_TRACE_ITER) {
    throw Failure(code::kArgument, "'" + name + "' is not an attached iterator");
  }
  const uint64_t start = monotonic_ns();
  const Fd iterator(bpf_iter_create(bpf_link__fd(link->second.get())));
  if (!iterator) throw Failure::from_errno(code::kRun, "cannot start the iterator '" + name + "'", errno);
  char output[4096];  // what it prints is not wanted
  for (;;) {
    const ssize_t got = ::read(iterator.get(), output, sizeof(output));
    if (got == 0) break;
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
      throw Failure::from_errno(code::kRun, "the iterator '" + name + "' failed", errno);
    }
  }
  return monotonic_ns() - start;
}

uint32_t BpfObject::run(const std::string& name, std::vector<uint8_t>& context) {
  bpf_program* found = program(name, true);
  if (bpf_program__type(found) != BPF_PROG_TYPE_SYSCALL) {
    throw Failure(code::kArgument, "'" + name + "' is not a syscall program");
  }
  DECLARE_LIBBPF_OPTS(bpf_test_run_opts, options);
  if (!context.empty()) {
    options.ctx_in = context.data();  // the kernel writes the result back to the same place
    options.ctx_size_in = uint32_t(context.size());
  }
  if (bpf_prog_test_run_opts(bpf_program__fd(found), &options) != 0) {
    throw Failure::from_errno(code::kRun, "cannot run '" + name + "'", errno);
  }
  return options.retval;
}

bpf_map* BpfObject::map_checked(const std::string& name, size_t key_size, std::optional<size_t> value_size) const {
  bpf_map* found = map(name);
  const auto type = bpf_map__type(found);
  if (type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH ||
      type == BPF_MAP_TYPE_SK_STORAGE || type == BPF_MAP_TYPE_TASK_STORAGE || type == BPF_MAP_TYPE_CGROUP_STORAGE ||
      type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE) {
    throw Failure(code::kArgument, "map '" + name + "' is of a type that cannot be read or written by key");
  }
  if (bpf_map__key_size(found) != key_size) {
    throw Failure(code::kArgument, "a key of map '" + name + "' has " + std::to_string(bpf_map__key_size(found)) +
                                       " bytes, not " + std::to_string(key_size));
  }
  if (value_size && bpf_map__value_size(found) != *value_size) {
    throw Failure(code::kArgument, "a value of map '" + name + "' has " + std::to_string(bpf_map__value_size(found)) +
                                       " bytes, not " + std::to_string(*value_size));
  }
  return found;
}

void BpfObject::update(const std::string& name, const std::vector<uint8_t>& key, const std::vector<uint8_t>& value) {
  bpf_map* found = map_checked(name, key.size(), value.size());
  // Maps without keys (stack, queue) take a push.
  if (bpf_map_update_elem(bpf_map__fd(found), key.empty() ? nullptr : key.data(), value.data(), BPF_ANY) != 0) {
    throw Failure::from_errno(code::kMap, "cannot write to map '" + name + "'", errno);
  }
}

bool BpfObject::remove(const std::string& name, const std::vector<uint8_t>& key) {
  bpf_map* found = map_checked(name, key.size(), std::nullopt);
  if (bpf_map_delete_elem(bpf_map__fd(found), key.data()) == 0) return true;
  if (errno == ENOENT) return false;
  throw Failure::from_errno(code::kMap, "cannot delete from map '" + name + "'", errno);
}

bool BpfObject::lookup(const std::string& name, const std::vector<uint8_t>& key, std::vector<uint8_t>& value) {
  bpf_map* found = map_checked(name, key.size(), std::nullopt);
  value.resize(bpf_map__value_size(found));
  if (bpf_map_lookup_elem(bpf_map__fd(found), key.empty() ? nullptr : key.data(), value.data()) == 0) return true;
  if (errno == ENOENT) return false;
  throw Failure::from_errno(code::kMap, "cannot read from map '" + name + "'", errno);
}

std::vector<ProgramInfo> BpfObject::programs() const {
  std::vector<ProgramInfo> list;
  bpf_program* each;
  bpf_object__for_each_program(each, object_.get()) {
    const int fd = bpf_program__fd(each);
    if (fd < 0) continue;
    bpf_prog_info info{};
    __u32 length = sizeof(info);
    if (bpf_obj_get_info_by_fd(fd, &info, &length) != 0) continue;
    const std::string name = bpf_program__name(each);
    list.push_back({name, info.id, links_.count(name) != 0, info.run_cnt, info.run_time_ns, info.recursion_misses});
  }
  return list;
}

uint64_t BpfObject::map_bytes() const {
  uint64_t sum = 0;
  bpf_map* each;
  bpf_object__for_each_map(each, object_.get()) {
    if (bpf_map__fd(each) < 0) continue;
    const std::string path = "/proc/self/fdinfo/" + std::to_string(bpf_map__fd(each));
    FILE* file = std::fopen(path.c_str(), "re");
    if (file == nullptr) continue;
    char line[256];
    unsigned long long bytes;
    while (std::fgets(line, sizeof(line), file) != nullptr) {
      if (std::sscanf(line, "memlock: %llu", &bytes) == 1) sum += bytes;
    }
    std::fclose(file);
  }
  return sum;
}

Mapping BpfObject::map_memory(const std::string& name, size_t bytes) const {
  const size_t page = size_t(sysconf(_SC_PAGESIZE));
  Mapping memory(bpf_map__fd(map(name)), (bytes + page - 1) / page * page);
  if (!memory) throw Failure::from_errno(code::kMap, "cannot map '" + name + "' into memory", errno);
  return memory;
}

}  // namespace sonde
