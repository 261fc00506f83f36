// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/sys/config.hpp>

#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include <unistd.h>

namespace lastcall::sys {

namespace {

void say(const char* text) noexcept {
  // Nothing sensible can be done when stderr is gone; the abort says the rest.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
}

} // namespace

void assertion_failed(const char* sentence, const char* file, int line) noexcept {
  char digits[16]{};
  char* digit = digits + sizeof digits - 1;
  for (int rest = line; rest > 0; rest /= 10) *--digit = static_cast<char>('0' + rest % 10);
  for (const char* part : {"lastcall: ", file, ":", static_cast<const char*>(digit), ": ", sentence, "\n"})
    say(part);
  std::abort();
}

} // namespace lastcall::sys
