// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace checker {

/// What two names have in common that differ only by a random or counted part: `out.k3JxQ9.tmp` and
/// `out.Zb81ka.tmp` have the shape `out.` + six letters or digits + `.tmp`; `log.9` and `log.10` have
/// `log.` + a number.
class name_shape {
public:
  /// Empty where the two do not look like the same name: another directory, another length (unless the
  /// part that differs is a number), or a differing part with other characters than letters, digits, `_`,
  /// `-`.
  [[nodiscard]] static std::optional<name_shape> of(std::string_view left, std::string_view right);

  [[nodiscard]] bool matches(std::string_view path) const;

private:
  std::string prefix_;
  std::string suffix_;
  std::size_t length_ = 0; ///< of the part that differs; 0: a number of any length
};

} // namespace checker
