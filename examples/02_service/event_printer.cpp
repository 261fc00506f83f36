// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "event_printer.hpp"

#include "say.hpp"

#include <array>
#include <chrono>

using lastcall::event_kind;

void event_printer::operator()(const lastcall::event& what) const {
  if (what.kind == event_kind::ladder && what.name == "request") return; // the request itself is printed
  std::array<char, 32> time{};
  const double elapsed = std::chrono::duration<double>(what.when - begin_).count();
  std::snprintf(time.data(), time.size(), "%8.3f s  ", elapsed);
  std::string line{time.data()};
  switch (what.kind) {
  case event_kind::request: line.append("*** ").append(what.detail.view()); break;
  case event_kind::ladder: line.append("*** ladder: ").append(what.name.view()); break;
  default: line.append(what.name.view()).append(": ").append(what.detail.view());
  }
  example::say(std::move(line));
}
