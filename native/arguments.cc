#include "arguments.h"

#include <cmath>
#include <cstring>

namespace sonde {
namespace {

[[noreturn]] void wrong(const char* name, const std::string& wanted) {
  throw Failure(code::kArgument, std::string(name) + " must be " + wanted);
}

}  // namespace

Napi::Error to_error(Napi::Env env, const Failure& failure) {
  const bool misuse = std::strcmp(failure.code(), code::kArgument) == 0;
  Napi::Error error = misuse ? Napi::Error(env, Napi::TypeError::New(env, failure.what()).Value())
                             : Napi::Error::New(env, failure.what());
  error.Set("code", Napi::String::New(env, failure.code()));
  error.Set("log", Napi::String::New(env, failure.log()));
  return error;
}

Napi::Object object_argument(const Napi::Value& value, const char* name) {
  if (!value.IsObject() || value.IsFunction()) wrong(name, "an object");
  return value.As<Napi::Object>();
}

std::string string_argument(const Napi::Value& value, const char* name) {
  if (!value.IsString()) wrong(name, "a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.empty() || text.find('\0') != std::string::npos) wrong(name, "a string without NUL that is not empty");
  return text;
}

std::optional<std::string> optional_string_argument(const Napi::Value& value, const char* name) {
  if (value.IsUndefined()) return std::nullopt;
  return string_argument(value, name);
}

uint32_t integer_argument(const Napi::Value& value, const char* name, uint32_t low, uint32_t high) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(number >= low && number <= high) || std::trunc(number) != number) {
    wrong(name, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return uint32_t(number);
}

uint64_t bigint_argument(const Napi::Value& value, const char* name) {
  bool lossless = false;
  const uint64_t number = value.IsBigInt() ? value.As<Napi::BigInt>().Uint64Value(&lossless) : 0;
  if (!lossless) wrong(name, "a BigInt of 64 bits, not negative");
  return number;
}

std::vector<uint8_t> bytes_argument(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    wrong(name, "a Uint8Array");
  }
  const auto array = value.As<Napi::Uint8Array>();
  // A detached array has no length.
  return array.ByteLength() == 0 ? std::vector<uint8_t>()
                                 : std::vector<uint8_t>(array.Data(), array.Data() + array.ByteLength());
}

std::vector<std::string> strings_argument(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) wrong(name, "an array of strings");
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> list;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    Napi::Value each = array[i];
    list.push_back(string_argument(each, name));
  }
  return list;
}

std::vector<std::pair<std::string, double>> numbers_argument(const Napi::Value& value, const char* name) {
  std::vector<std::pair<std::string, double>> list;
  if (value.IsUndefined()) return list;
  const auto object = object_argument(value, name);
  const Napi::Array keys = object.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const Napi::Value key = keys[i];
    const std::string text = key.ToString().Utf8Value();
    const Napi::Value each = object.Get(text);
    if (each.IsBoolean()) {
      list.emplace_back(text, each.As<Napi::Boolean>().Value() ? 1 : 0);
    } else if (each.IsNumber() && std::isfinite(each.As<Napi::Number>().DoubleValue())) {
      list.emplace_back(text, each.As<Napi::Number>().DoubleValue());
    } else {
      throw Failure(code::kArgument, std::string(name) + "." + text + " must be a finite number or a boolean");
    }
  }
  return list;
}

}  // namespace sonde
