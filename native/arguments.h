// Reading of JavaScript arguments. Everything that is not what was asked for throws Failure(ERR_SONDE_ARGUMENT), so
// that misuse is an exception in JavaScript and nothing else.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "failure.h"

namespace sonde {

// Runs the body of a method; a Failure becomes a JavaScript exception.
template <typename Body>
auto guarded(Napi::Env env, Body body) -> decltype(body());

// The JavaScript Error of a failure: a TypeError for bad arguments.
Napi::Error to_error(Napi::Env env, const Failure& failure);

Napi::Object object_argument(const Napi::Value& value, const char* name);
std::string string_argument(const Napi::Value& value, const char* name);
std::optional<std::string> optional_string_argument(const Napi::Value& value, const char* name);
// An integer in [low, high].
uint32_t integer_argument(const Napi::Value& value, const char* name, uint32_t low, uint32_t high);
uint64_t bigint_argument(const Napi::Value& value, const char* name);
std::vector<uint8_t> bytes_argument(const Napi::Value& value, const char* name);
std::vector<std::string> strings_argument(const Napi::Value& value, const char* name);
std::vector<std::pair<std::string, double>> numbers_argument(const Napi::Value& value, const char* name);

template <typename Body>
auto guarded(Napi::Env env, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const Failure& failure) {
    throw to_error(env, failure);
  } catch (const std::bad_alloc&) {
    throw to_error(env, Failure("ERR_SONDE_MEMORY", "out of memory"));
  }
}

}  // namespace sonde
