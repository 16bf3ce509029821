// What libbpf and the verifier say while one call runs, kept for the error that may follow. Per thread, since several
// workers may load objects at the same time.
#pragma once

#include <string>

namespace sonde {

class LibbpfLog {
 public:
  LibbpfLog();
  ~LibbpfLog();
  LibbpfLog(const LibbpfLog&) = delete;
  LibbpfLog& operator=(const LibbpfLog&) = delete;

  // The end of it: the verifier gives its reason last.
  std::string tail() const;

  void append(const char* text, size_t length);

 private:
  LibbpfLog* outer_;
  std::string text_;
};

}  // namespace sonde
