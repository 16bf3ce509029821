// What the native side throws: it becomes a JavaScript Error with `code` and, when libbpf said something, `log`.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace sonde {

class Failure : public std::exception {
 public:
  Failure(const char* code, std::string message, std::string log = {})
      : code_(code), message_(std::move(message)), log_(std::move(log)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const char* code() const noexcept { return code_; }
  const std::string& log() const noexcept { return log_; }

  // The message ends with the text of the (positive) errno.
  static Failure from_errno(const char* code, const std::string& what, int error, std::string log = {});

 private:
  const char* code_;
  std::string message_;
  std::string log_;
};

namespace code {
inline constexpr char kArgument[] = "ERR_SONDE_ARGUMENT";
inline constexpr char kClosed[] = "ERR_SONDE_CLOSED";
inline constexpr char kPermission[] = "ERR_SONDE_PERMISSION";
inline constexpr char kNoBtf[] = "ERR_SONDE_NO_BTF";
inline constexpr char kLoad[] = "ERR_SONDE_LOAD";
inline constexpr char kAttach[] = "ERR_SONDE_ATTACH";
inline constexpr char kMap[] = "ERR_SONDE_MAP";
inline constexpr char kRun[] = "ERR_SONDE_RUN";
}  // namespace code

}  // namespace sonde
