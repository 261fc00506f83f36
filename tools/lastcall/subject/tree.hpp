// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace checker {

/// One name in a tree: what kind of thing it is and a digest of what it holds. Times, owners and inode
/// numbers are left out: they differ between equal runs.
struct entry {
  enum class kind : std::uint8_t { file, directory, symlink, fifo, socket, device } type = kind::file;
  std::uint32_t mode = 0; ///< permission bits
  std::uint64_t size = 0; ///< of a file, in bytes
  std::string digest;     ///< of a file's bytes, or a symlink's target
  friend bool operator==(const entry&, const entry&) = default;
};

/// A directory tree as data: relative path to entry, the root itself not included.
using tree = std::map<std::string, entry>;

/// Reads the tree under `root`. What vanishes meanwhile is left out; an unreadable file has an empty digest.
/// Throws std::system_error naming the path where `root` itself cannot be read.
[[nodiscard]] tree read_tree(const std::filesystem::path& root);

} // namespace checker
