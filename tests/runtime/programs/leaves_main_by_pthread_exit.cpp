// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// A program of its own: a test's frames would catch what unwinds the thread.
#include <lastcall/interrupt/io.hpp>
#include <lastcall/runtime/at_exit.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/runtime/thread.hpp>

#include <string_view>

#include <pthread.h>
#include <unistd.h>

namespace {

void tell(std::string_view what) { [[maybe_unused]] const auto n = ::write(1, what.data(), what.size()); }

struct a_static {
  ~a_static() { tell("static."); }
} const before_all;

} // namespace

int main() {
  ::alarm(30);
  lastcall::runtime program;
  lastcall::at_exit([] { tell("at_exit, "); });
  lastcall::thread worker{"worker", [](lastcall::stop_token stop) {
                            lastcall::io::sleep_until(lastcall::deadline::never(), stop);
                            tell("worker, ");
                          }};
  ::pthread_exit(nullptr);
}
