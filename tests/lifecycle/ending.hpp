// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/lifecycle/application.hpp>

#include "lifecycle/scripted.hpp"

#include <lastcall/interrupt/io.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include <unistd.h>

/// For tests of how a process ends: each forks, runs one application and leaves as main would.
namespace lifecycle_test {

struct static_object {
  ~static_object() { std::fputs("statics are gone\n", stderr); }
};

/// What every child begins with: it ends in any case, and shows that statics and atexit handlers have run.
inline void begin() {
  alarm(30);
  static static_object one;
  std::atexit([] { std::fputs("atexit has run, ", stderr); });
}

inline int run_one(const lastcall::application_options& options, action start, action stop) {
  begin();
  diary log;
  lastcall::application app{"shop", options};
  app.add<scripted>("db", log, std::move(start), std::move(stop));
  return app.run_for(std::chrono::milliseconds{0});
}

inline const action nothing{};
inline const auto hang = [](auto&) { lastcall::io::sleep_for(std::chrono::hours{1}); };
inline const auto raise_int = [](auto&) { std::raise(SIGINT); };
inline const auto raise_term = [](auto&) { std::raise(SIGTERM); };
inline const auto fail = [](auto&) { throw std::runtime_error("disk full"); };

} // namespace lifecycle_test
