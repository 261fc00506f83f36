// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "problem.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tiny {

struct token {
  enum class type : std::uint8_t { word, number, text, symbol, newline, end };
  type is = type::end;
  std::string_view spelled{}; ///< of a text: what stands between its quotes
  std::int64_t number = 0;
  position at{};
};

/// A script in pieces, one after the other. Throws `problem` for bytes that belong to none, lines above
/// `longest_line` and numbers that are too large.
class lexer {
public:
  static constexpr std::size_t longest_line = 4096;

  /// `source` must outlive the tokens.
  explicit lexer(std::string_view source) : rest_{source} {}
  token next();

private:
  token one(token::type is, std::size_t size);
  token text();
  token number();
  void skip_blanks();
  [[noreturn]] void refuse() const;
  void require_short_line() const;

  std::string_view rest_;
  position at_;
};

} // namespace tiny
