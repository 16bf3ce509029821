#include "libbpf_log.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <vector>

namespace sonde {
namespace {

constexpr size_t kKeep = 16 << 10;

thread_local LibbpfLog* current = nullptr;

int print(libbpf_print_level level, const char* format, va_list arguments) {
  if (current == nullptr || level == LIBBPF_DEBUG) return 0;
  va_list copy;
  va_copy(copy, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, copy);
  va_end(copy);
  if (length <= 0) return 0;
  std::vector<char> text(size_t(length) + 1);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  current->append(text.data(), size_t(length));
  return length;
}

}  // namespace

LibbpfLog::LibbpfLog() : outer_(current) {
  static std::once_flag once;
  std::call_once(once, [] { libbpf_set_print(print); });
  current = this;
}

LibbpfLog::~LibbpfLog() { current = outer_; }

void LibbpfLog::append(const char* text, size_t length) {
  text_.append(text, length);
  if (text_.size() > 2 * kKeep) text_.erase(0, text_.size() - kKeep);
}

std::string LibbpfLog::tail() const { return text_.size() > kKeep ? text_.substr(text_.size() - kKeep) : text_; }

}  // namespace sonde
