// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <system_error>

namespace example {
namespace {

std::string quoted(std::string_view text) { return "'" + std::string{text} + "'"; }

void print_help(std::string_view program, std::string_view purpose, const std::vector<option>& options,
                const operands* rest) {
  std::string text = "usage: " + std::string{program} + " [options]";
  if (rest != nullptr) text.append(" ").append(rest->name);
  text += '\n' + std::string{purpose} + "\n\n";
  for (const auto& each : options) {
    std::string left = "  " + std::string{each.name};
    if (!each.value.empty()) left += (each.name.empty() ? "" : " ") + std::string{each.value};
    left.resize(std::max<std::size_t>(left.size() + 2, 26), ' ');
    text += left + std::string{each.help} + '\n';
  }
  if (rest != nullptr) text.append("\n").append(rest->help).append("\n");
  std::fputs(text.c_str(), stdout);
}

} // namespace

std::chrono::milliseconds duration_of(std::string_view text) {
  const auto nonsense = [&] {
    return usage_error(quoted(text) +
                       " is no duration; write a positive whole number and ms, s or m, such as 200ms");
  };
  long long count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (error != std::errc{} || count <= 0) throw nonsense();
  constexpr long long most = 366LL * 24 * 60; // minutes: a year is enough, and no sum overflows
  if (unit == "ms" && count <= most * 60'000) return std::chrono::milliseconds{count};
  if (unit == "s" && count <= most * 60) return std::chrono::seconds{count};
  if (unit == "m" && count <= most) return std::chrono::minutes{count};
  throw nonsense();
}

long number_of(std::string_view text) {
  long number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr long most = 1'000'000'000;
  if (error != std::errc{} || rest != text.data() + text.size() || number < 0 || number > most)
    throw usage_error(quoted(text) + " is no number; write a whole one, such as 100");
  return number;
}

void read(const std::vector<std::string_view>& arguments, const std::vector<option>& options,
          const operands* rest) {
  for (auto at = arguments.begin(); at != arguments.end(); ++at) {
    if (rest != nullptr && (*at == "-" || !at->starts_with('-'))) {
      rest->into.emplace_back(*at);
      continue;
    }
    if (rest != nullptr && *at == "--") {
      rest->into.insert(rest->into.end(), at + 1, arguments.end());
      return;
    }
    const bool word = !at->starts_with('-');
    const auto equals = word ? at->npos : at->find('=');
    const auto name = word ? std::string_view{} : at->substr(0, equals);
    const auto found = std::ranges::find(options, name, &option::name);
    if (found == options.end())
      throw usage_error("unknown argument " + quoted(*at) + "; --help lists what there is");
    if (word) {
      found->take(*at);
    } else if (found->value.empty()) {
      if (equals != at->npos) throw usage_error(std::string{name} + " takes no value");
      found->take({});
    } else if (equals != at->npos) {
      found->take(at->substr(equals + 1));
    } else {
      if (++at == arguments.end())
        throw usage_error(std::string{name} + " needs a value: " + std::string{found->value});
      found->take(*at);
    }
  }
}

int as_program(int argc, char** argv, std::string_view purpose, const std::vector<option>& options,
               const std::function<int()>& program, const operands* rest) {
  std::string_view name = argc > 0 ? argv[0] : "example";
  name.remove_prefix(name.rfind('/') + 1); // npos + 1 is 0
  const std::vector<std::string_view> arguments(argv + std::min(argc, 1), argv + argc);
  const auto complain = [&](const std::exception& error, int status) {
    std::fputs((std::string{name} + ": " + error.what() + '\n').c_str(), stderr);
    return status;
  };
  try {
    if (std::ranges::find(arguments, "--help") != arguments.end()) {
      print_help(name, purpose, options, rest);
      return 0;
    }
    read(arguments, options, rest);
    return program();
  } catch (const usage_error& error) {
    return complain(error, 2);
  } catch (const std::exception& error) {
    return complain(error, 70);
  }
}

} // namespace example
