// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/executor/pool_report.hpp>

#include "runtime/duration_text.hpp"

#include <string>

namespace lastcall {

namespace {

std::string counted(std::size_t many, const char* what) {
  return std::to_string(many) + ' ' + what + (many == 1 ? "" : "s");
}

// Each line of a stack stands under its task.
void add_indented(std::string& text, const std::string& lines) {
  text += "    ";
  for (const char each : lines) {
    text += each;
    if (each == '\n') text += "    ";
  }
  text += '\n';
}

} // namespace

std::string describe(const pool_report& what) {
  std::string text = "the pool \"" + what.pool + "\": ";
  if (what.clean()) return text + "all tasks have ended\n";
  const std::size_t left = what.unfinished.size() + what.untold;
  std::string sum;
  const auto add = [&sum](const std::string& part) { sum += (sum.empty() ? "" : ", ") + part; };
  if (left != 0) add(counted(left, "task") + " did not end");
  if (what.waiting != 0) add(counted(what.waiting, "task") + " did not begin");
  if (what.dropped != 0) add(counted(what.dropped, "task") + " dropped");
  text += sum + " (after " + std::string{detail::duration_text(what.took).view()} + ")\n";
  for (const auto& one : what.unfinished) {
    text += "  \"" + one.label + "\" has run for " + std::string{detail::duration_text(one.running).view()} +
            " on " + one.thread + " (" + std::to_string(one.id) + ")\n";
    if (!one.where.empty()) add_indented(text, one.where);
  }
  for (const auto& label : what.dropped_labels) text += "  dropped: \"" + label + "\"\n";
  if (what.dropped > what.dropped_labels.size() && !what.dropped_labels.empty())
    text += "  … and " + std::to_string(what.dropped - what.dropped_labels.size()) + " more\n";
  return text;
}

} // namespace lastcall
