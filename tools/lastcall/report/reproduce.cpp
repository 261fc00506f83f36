// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/reproduce.hpp"

#include "subject/signal_name.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace checker {
namespace {

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
}

bool control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

} // namespace

std::string shell_quote(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  const bool escaped = std::any_of(text.begin(), text.end(), control);
  std::string quoted = escaped ? "$'" : "'";
  for (const char c : text) {
    if (escaped && control(c))
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else if (escaped && (c == '\'' || c == '\\'))
      quoted += {'\\', c};
    else if (c == '\'')
      quoted += "'\\''";
    else
      quoted += c;
  }
  return quoted + '\'';
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += (line.empty() ? "" : " ") + shell_quote(word);
  return line;
}

std::string reproduce_line(const options& with, const injection& asked) {
  std::vector<std::string> words{"lastcall", "check",
                                 "--signal", signal_name(asked.signal),
                                 "--scope",  std::string(to_string(asked.scope)),
                                 "--at",     asked.where.key()};
  const auto add = [&](const char* option, std::string value) {
    words.emplace_back(option);
    words.push_back(std::move(value));
  };
  if (with.dir) add("--dir", with.dir->string());
  if (with.input) add("--stdin", with.input->string());
  if (!with.verify.empty()) add("--verify", with.verify);
  if (with.isolate == isolation::namespaces) add("--isolation", "namespaces");
  if (with.isolate == isolation::subreaper) add("--isolation", "subreaper");
  if (with.time_limit.count() > 0) add("--time-limit", fmt::format("{:g}s", with.time_limit.count()));
  if (with.grace.count() > 0) add("--grace", fmt::format("{:g}s", with.grace.count()));
  if (with.undisturbed_limit != options{}.undisturbed_limit) {
    add("--undisturbed-limit", fmt::format("{:g}s", with.undisturbed_limit.count()));
  }
  words.emplace_back("--");
  words.insert(words.end(), with.argv.begin(), with.argv.end());
  return shell_line(words);
}

std::optional<std::string> strace_line(const options& with, const example& at) {
  const auto& where = at.asked.where;
  const auto name = where.call.substr(0, where.call.find('('));
  if (where.at == position::before || where.role != "0" || at.occurrence == 0 || name == "idle" ||
      at.asked.scope != target_scope::process)
    return std::nullopt;
  std::vector<std::string> words{
      "strace", "-o", "/dev/null", "-e",
      fmt::format("inject={}:signal=SIG{}:when={}", name, signal_name(at.asked.signal), at.occurrence)};
  words.insert(words.end(), with.argv.begin(), with.argv.end());
  const auto line = shell_line(words);
  if (!with.dir) return line;
  return fmt::format("cd \"$(mktemp -d)\" && cp -a {}/. . && {}", shell_quote(with.dir->string()), line);
}

} // namespace checker
