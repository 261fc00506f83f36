// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include "scanner.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

/// Puts what the workers find, in whatever order, into the order of the output.
///
/// The lines of a file are counted by those who read its blocks, so a block's lines have their numbers when
/// all blocks before it are there. Threads: one.
class results {
public:
  /// With `in_order` each file's matches come after those of the files before it.
  explicit results(bool in_order) noexcept : in_order_{in_order} {}

  /// A file comes in; what `end` and `add` call it.
  std::size_t begin(std::string name);
  /// It has that many blocks: none will be added with a higher number.
  void end(std::size_t file, std::uint64_t blocks);
  /// A block was searched, with the patterns that its edition stands for.
  void add(std::size_t file, std::uint64_t block, block_result found, std::shared_ptr<const pattern_list> by);
  /// A block, or all of it, could not be searched. Where its lines would go on is not known: the rest is left
  /// out.
  void fail(std::size_t file);

  /// What can be printed since the last call.
  std::string take();
  std::uint64_t matches() const noexcept { return matches_; }

private:
  struct part {
    block_result found;
    std::shared_ptr<const pattern_list> by;
  };
  struct one_file {
    std::string name{};
    std::map<std::uint64_t, part> early{};
    std::uint64_t next = 0;
    std::uint64_t lines = 0;
    std::uint64_t blocks = static_cast<std::uint64_t>(-1); ///< until they are known
    bool over() const noexcept { return next >= blocks; }
  };
  one_file& at(std::size_t file) { return files_[file - first_]; }
  void go_on(std::size_t file);
  void print(one_file& file);

  const bool in_order_;
  std::deque<one_file> files_;
  std::size_t first_ = 0; ///< the number of the first that is kept
  std::string ready_;
  std::uint64_t matches_ = 0;
};
