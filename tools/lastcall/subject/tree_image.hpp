// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace checker {

/// A directory tree held in memory, to be laid out again and again.
///
/// A copy on disk would do, but it could change between runs when somebody else works in it, and every run
/// would read it anew. Contents, modes, owners (where permitted), modification times, symbolic links, hard
/// links, fifos and sockets are kept; devices are left out.
class tree_image {
public:
  tree_image() = default; ///< an empty directory

  /// Throws `cannot_check` naming what cannot be read, or where the tree is larger than 1 GiB.
  [[nodiscard]] static tree_image load(const std::filesystem::path& directory);

  /// Lays the tree out in an existing empty directory. Throws `cannot_check`, on a full disk for example.
  void lay_out(const std::filesystem::path& into) const;

private:
  struct node {
    std::string path; ///< relative
    mode_t mode = 0;
    uid_t owner = 0;
    gid_t group = 0;
    timespec modified{};
    std::string content; ///< of a file; of a link its target; of a hard link the first name
    bool is_hard_link = false;
  };
  static void read_file(const std::filesystem::path& path, node& into);
  void lay_out_node(int root, const node& what) const;
  std::vector<node> nodes_; ///< parents before children
};

} // namespace checker
