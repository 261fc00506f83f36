// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "commands/signal_list.hpp"

#include "commands/usage_error.hpp"
#include "subject/signal_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstring>

namespace checker {
namespace {

/// The number in all of `text`, or -1.
int number(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : -1;
}

int by_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  if (name == "RTMIN") return SIGRTMIN;
  if (name.starts_with("RTMIN+")) {
    const int above = number(std::string_view(name).substr(6));
    return above >= 0 && SIGRTMIN + above <= SIGRTMAX ? SIGRTMIN + above : -1;
  }
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known && name == known) return signal;
  }
  return -1;
}

} // namespace

int parse_signal(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  const int signal = digits ? number(text) : by_name(text);
  if (signal < 1 || signal > SIGRTMAX)
    throw usage_error(
        fmt::format("--signal: there is no signal \"{}\"; give names or numbers, as in INT,TERM", text));
  if (signal == SIGSTOP)
    throw usage_error("--signal: no program can act on SIGSTOP, so there is nothing to check");
  return signal;
}

std::vector<int> parse_signals(const std::vector<std::string>& names) {
  std::vector<int> signals;
  for (const auto& each : names) {
    const int signal = parse_signal(each);
    if (std::find(signals.begin(), signals.end(), signal) == signals.end()) signals.push_back(signal);
  }
  return signals;
}

} // namespace checker
