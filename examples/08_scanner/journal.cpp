// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "journal.hpp"

#include "log_line.hpp"

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

using lastcall::event_kind;

journal::journal(lastcall::process_source& from, lastcall::raw_fd to, bool all)
    : all_{all}, writer_{from, std::move(to)} {}

void journal::record(const lastcall::event& what) {
  switch (what.kind) {
  case event_kind::request: return note("***", what.detail.view());
  case event_kind::ladder:
    if (what.name != "request") note("*** ladder", what.name.view());
    return;
  case event_kind::late:
  case event_kind::abandoned:
  case event_kind::failure: return complain(what.name.view(), what.detail.view());
  default: note(what.name.view(), what.detail.view());
  }
}

void journal::note(std::string_view who, std::string_view what) {
  if (all_) writer_.write(log_line(began_, who, what));
}

void journal::complain(std::string_view who, std::string_view what) {
  if (all_)
    writer_.write(log_line(began_, who, what));
  else
    writer_.write(std::string{"08_scanner: "}.append(who).append(who.empty() ? "" : ": ").append(what));
}

bool journal::close() {
  note("log", "closing");
  const auto end = writer_.close(lastcall::deadline::after(std::chrono::seconds{3}));
  std::string trouble;
  if (!end.known)
    trouble = "the log's writer has ended before its time; the last records may be lost";
  else if (end.lost > 0 || end.torn || end.refused > 0)
    trouble = std::to_string(end.lost + end.refused) + " records of the log are lost";
  if (end.error) trouble += ": " + end.error.message();
  if (trouble.empty()) return true;
  std::fprintf(stderr, "08_scanner: %s\n", trouble.c_str());
  return false;
}
