// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/interrupt/interrupted.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <system_error>
#include <type_traits>

namespace lastcall::detail {

/// A number, an enumerator, a pointer or nullptr, as the kernel takes it.
template <class Value>
long as_register([[maybe_unused]] Value value) noexcept {
  if constexpr (std::is_null_pointer_v<Value>)
    return 0;
  else if constexpr (std::is_pointer_v<Value>)
    return static_cast<long>(reinterpret_cast<std::uintptr_t>(value));
  else
    return static_cast<long>(value);
}

} // namespace lastcall::detail

/// Any other call. See io.hpp for the forms, and for what they have in common.
namespace lastcall::io {

/// Up to six things that fit into a register: numbers, enumerators, pointers, nullptr.
class raw_arguments {
public:
  template <class... Values>
  requires(sizeof...(Values) <= 6 && ((std::integral<Values> || std::is_enum_v<Values> ||
                                       std::is_pointer_v<Values> || std::is_null_pointer_v<Values>)&&...))
      raw_arguments(Values... values)
  noexcept : values_{detail::as_register(values)...} {}

  const long (&values() const noexcept)[6] { return values_; }

private:
  long values_[6] = {};
};

/// Makes the system call `number` and returns its result, which is not negative. `name` is for errors.
///
///     io::call("splice", SYS_splice, {in, nullptr, out, nullptr, size, 0});
///
/// EINTR makes the call again, with the same arguments: a call that takes a timeout waits its whole length
/// again after a handler of the program's has run. Not for calls that make processes or threads, or return
/// elsewhere.
long call(const char* name, long number, const raw_arguments& arguments);
long call(const char* name, long number, const raw_arguments& arguments, std::error_code& error) noexcept;
std::optional<long> call(const char* name, long number, const raw_arguments& arguments,
                         const std::stop_token& stop);
long call(const char* name, long number, const raw_arguments& arguments, const std::stop_token& stop,
          std::error_code& error) noexcept;

} // namespace lastcall::io
