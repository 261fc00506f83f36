// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/interrupt/io/call.hpp>

#include "interrupt/blocking_call.hpp"

#include <algorithm>
#include <iterator>

namespace lastcall::io {

namespace {

detail::blocking_call raw(const char* name, long number, const raw_arguments& arguments) noexcept {
  detail::blocking_call made{name, {number, {}}};
  std::copy(std::begin(arguments.values()), std::end(arguments.values()), std::begin(made.call.arguments));
  return made;
}

} // namespace

long call(const char* name, long number, const raw_arguments& arguments) {
  return detail::as_owner(raw(name, number, arguments));
}
long call(const char* name, long number, const raw_arguments& arguments, std::error_code& error) noexcept {
  return detail::as_owner(raw(name, number, arguments), error);
}
std::optional<long> call(const char* name, long number, const raw_arguments& arguments,
                         const std::stop_token& stop) {
  return detail::until_stopped(raw(name, number, arguments), stop);
}
long call(const char* name, long number, const raw_arguments& arguments, const std::stop_token& stop,
          std::error_code& error) noexcept {
  return detail::until_stopped(raw(name, number, arguments), stop, error);
}

} // namespace lastcall::io
