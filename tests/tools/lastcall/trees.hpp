// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "subject/run.hpp"

#include <csignal>
#include <initializer_list>
#include <string>
#include <utility>

/// Trees and runs written down in a line, for the tests of the judge and the report.
namespace checker::written {

inline entry file(const std::string& content, std::uint32_t mode = 0644) {
  return {.type = entry::kind::file, .mode = mode, .size = content.size(), .digest = content};
}

inline tree files(std::initializer_list<std::pair<const char*, const char*>> named) {
  tree made;
  for (const auto& [name, content] : named) made.emplace(name, file(content));
  return made;
}

/// A run into which SIGINT was injected and that died of it.
inline run interrupted(tree work = {}) {
  run made;
  made.asked = injection{.where = {.role = "0", .call = "write(1)", .ordinal = 1, .at = position::before},
                         .signal = SIGINT,
                         .scope = target_scope::process};
  made.delivered = delivery::delivered;
  made.end = {.how = ending::how::signaled, .value = SIGINT};
  made.work = std::move(work);
  return made;
}

/// The program writes `completed` where `initial` was, prints "done\n" and ends with status 0.
inline reference known(tree initial, const tree& completed) {
  reference made;
  made.initial = std::move(initial);
  for (int i = 0; i < 2; ++i) {
    run& each = made.undisturbed.emplace_back();
    each.work = completed;
    each.out = "done\n";
  }
  return made;
}

} // namespace checker::written
