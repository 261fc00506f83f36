// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "lexer.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace tiny {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

} // namespace

token lexer::next() {
  if (at_.column == 1) require_short_line();
  skip_blanks();
  if (rest_.empty()) return {token::type::end, {}, 0, at_};
  const char first = rest_[0];
  if (first == '\n') {
    const token it = one(token::type::newline, 1);
    at_ = {at_.line + 1, 1};
    return it;
  }
  if (first == '"') return text();
  if (is_digit(first)) return number();
  if (is_letter(first)) {
    std::size_t size = 1;
    while (size < rest_.size() && (is_letter(rest_[size]) || is_digit(rest_[size]))) ++size;
    return one(token::type::word, size);
  }
  if (rest_.starts_with("==")) return one(token::type::symbol, 2);
  if (std::string_view{"+-*/<=(),."}.find(first) == std::string_view::npos) refuse();
  return one(token::type::symbol, 1);
}

token lexer::one(token::type is, std::size_t size) {
  const token it{is, rest_.substr(0, size), 0, at_};
  rest_.remove_prefix(size);
  at_.column += static_cast<std::uint32_t>(size);
  return it;
}

token lexer::text() {
  const auto end = rest_.find_first_of("\"\n", 1);
  if (end == std::string_view::npos || rest_[end] == '\n') throw problem{at_, "a text that is not closed"};
  for (std::size_t i = 1; i < end; ++i)
    if (is_control(rest_[i]))
      throw problem{{at_.line, at_.column + static_cast<std::uint32_t>(i)}, "a control character in a text"};
  token it = one(token::type::text, end + 1);
  it.spelled = it.spelled.substr(1, end - 1);
  return it;
}

token lexer::number() {
  std::size_t size = 1;
  while (size < rest_.size() && is_digit(rest_[size])) ++size;
  if (size < rest_.size() && is_letter(rest_[size])) throw problem{at_, "a number with letters in it"};
  token it = one(token::type::number, size);
  const auto [end, error] =
      std::from_chars(it.spelled.data(), it.spelled.data() + it.spelled.size(), it.number);
  if (error != std::errc{}) throw problem{it.at, "a number that is too large"};
  return it;
}

void lexer::skip_blanks() {
  std::size_t size = rest_.find_first_not_of(" \t");
  if (size == std::string_view::npos) size = rest_.size();
  if (size < rest_.size() && rest_[size] == '#') { // to the end of the line
    size = std::min(rest_.find('\n', size), rest_.size());
  } else if (rest_.substr(size).starts_with("\r\n")) {
    ++size;
  }
  rest_.remove_prefix(size);
  at_.column += static_cast<std::uint32_t>(size);
}

void lexer::refuse() const {
  const char byte = rest_[0];
  if (byte > ' ' && byte < '\x7f') throw problem{at_, std::string{"nothing begins with '"} + byte + "'"};
  constexpr std::string_view digits = "0123456789abcdef";
  const auto number = static_cast<unsigned char>(byte);
  throw problem{at_, std::string{"a byte that is no text: 0x"} + digits[number >> 4] + digits[number & 15]};
}

void lexer::require_short_line() const {
  const std::size_t size = std::min(rest_.find('\n'), rest_.size());
  if (size > longest_line)
    throw problem{{at_.line, longest_line + 1},
                  "a line of " + std::to_string(size) + " bytes; " + std::to_string(longest_line) +
                      " is the most"};
}

} // namespace tiny
