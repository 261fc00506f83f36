// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "fault.hpp"

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

void commit(fault_kind what, std::string_view who) {
  switch (what) {
  case fault_kind::none: return;
  case fault_kind::throws: throw std::runtime_error{std::string{who} + " does not want to start"};
  case fault_kind::exits: std::exit(3);
  case fault_kind::hangs:
    for (;;) std::this_thread::sleep_for(std::chrono::hours{1});
  }
}
