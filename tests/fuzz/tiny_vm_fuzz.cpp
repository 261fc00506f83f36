// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// Any bytes as a script of 12_tiny_vm, with both layouts: refused in a sentence, or run with a request before
// an opcode that the bytes choose. Whatever they are: the end of the runtime is clean, each finalizer has
// been begun, and with the default layout the request was heard. `./dev fuzz` runs it.
#include "compiler.hpp"
#include "play.hpp"

#include <lastcall/interrupt/io.hpp>
#include <lastcall/interrupt/signal_scope.hpp>
#include <lastcall/runtime/runtime.hpp>
#include <lastcall/stream/buffered_writer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace {

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "it does not hold that %s\n", what);
  std::abort();
}

lastcall::buffered_writer& nowhere() {
  static auto* const it = new lastcall::buffered_writer{
      lastcall::raw_fd::own(lastcall::io::open("/dev/null", O_WRONLY | O_CLOEXEC, 0)), {.name = "nowhere"}};
  return *it;
}

void run(const std::shared_ptr<const tiny::program>& code, std::size_t at) {
  const auto counts = std::make_shared<tiny::ledger>();
  lastcall::signal_scope scope;
  tiny::watcher watcher{.at = at, .request = [&] { scope.request_stop("fuzz"); }};
  bool swallowed = false;
  lastcall::finalization_report end;
  {
    lastcall::runtime runtime{{.name = "fuzz", .on_report = [](const auto&) {}}};
    try {
      swallowed = tiny::play(code,
                             {.out = &nowhere(),
                              .err = &nowhere(),
                              .watch = tiny::watch::counted,
                              .main = &watcher,
                              .threads = 0,
                              .longest_sleep = {},
                              .most = 3000},
                             counts)
                      .swallowed;
    } catch (const lastcall::interrupted&) {
      demand(watcher.made, "it is interrupted by a request only");
    } catch (const tiny::out_of_steps&) {
      // Without an end.
    }
    end = runtime.finalize();
  }
  if (!end.clean()) std::fputs(describe(end).c_str(), stderr);
  demand(end.clean(), "the end is clean");
  demand(counts->finalizers_owed == 0, "each finalizer was begun");
  demand(code->layout == tiny::layout::y2017 || !swallowed, "a request is not swallowed");
  demand(!watcher.made || !scope.requests().empty(), "a request is recorded");
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const int nothing = ::open("/dev/null", O_RDONLY);
  return ::dup2(nothing, STDIN_FILENO) == STDIN_FILENO ? 0 : -1;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source{reinterpret_cast<const char*>(data), size};
  for (const auto how : {tiny::layout::whole, tiny::layout::y2017}) {
    std::shared_ptr<const tiny::program> code;
    try {
      code = std::make_shared<tiny::program>(tiny::compile(source, how));
      static_cast<void>(listing(*code));
    } catch (const tiny::problem& error) {
      demand(error.at().line >= 1 && error.at().column >= 1, "an error has a place");
      return 0;
    }
    std::size_t at = size; // any number that the same bytes give again
    for (std::size_t i = 0; i < size; ++i) at = at * 31 + data[i];
    run(code, 1 + at % 300);
  }
  return 0;
}
