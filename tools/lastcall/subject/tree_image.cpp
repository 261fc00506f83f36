// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/tree_image.hpp"

#include "subject/cannot_check.hpp"
#include "subject/write_all.hpp"

#include <array>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace checker {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t largest_tree = std::size_t{1} << 30;
constexpr mode_t permission_bits = 07777;

/// A descriptor that closes itself.
class descriptor {
public:
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int value() const noexcept { return fd_; }

private:
  int fd_;
};

} // namespace

void tree_image::read_file(const fs::path& path, node& into) {
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (file.value() < 0) throw_cannot("read " + path.string());
  std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): read fills it
  while (true) {
    const auto got = ::read(file.value(), buffer.data(), buffer.size());
    if (got < 0) throw_cannot("read " + path.string());
    if (got == 0) return;
    into.content.append(buffer.data(), static_cast<std::size_t>(got));
    if (into.content.size() > largest_tree)
      throw cannot_check("cannot copy " + path.string() + ": larger than 1 GiB");
  }
}

tree_image tree_image::load(const fs::path& directory) {
  tree_image image;
  std::size_t bytes = 0;
  std::map<std::pair<dev_t, ino_t>, std::string> seen;
  std::error_code error;
  fs::recursive_directory_iterator at{directory, error};
  if (error) throw cannot_check("cannot read directory " + directory.string() + ": " + error.message());
  for (const fs::recursive_directory_iterator end; at != end; at.increment(error)) {
    struct stat info {};
    if (::lstat(at->path().c_str(), &info) != 0) throw_cannot("read " + at->path().string());
    node one{at->path().lexically_relative(directory).string(),
             info.st_mode,
             info.st_uid,
             info.st_gid,
             info.st_mtim,
             {},
             false};
    const auto [first, is_new] = seen.try_emplace({info.st_dev, info.st_ino}, one.path);
    if (S_ISREG(info.st_mode) && !is_new) {
      one.is_hard_link = true;
      one.content = first->second;
    } else if (S_ISREG(info.st_mode)) {
      read_file(at->path(), one);
    } else if (S_ISLNK(info.st_mode)) {
      one.content = fs::read_symlink(at->path()).string();
    } else if (S_ISBLK(info.st_mode) || S_ISCHR(info.st_mode)) {
      continue;
    }
    bytes += one.content.size();
    if (bytes > largest_tree) throw cannot_check("cannot copy " + directory.string() + ": larger than 1 GiB");
    image.nodes_.push_back(std::move(one));
  }
  if (error) throw cannot_check("cannot read directory " + directory.string() + ": " + error.message());
  return image;
}

void tree_image::lay_out_node(int root, const node& what) const {
  const char* path = what.path.c_str();
  int result = 0;
  if (what.is_hard_link) {
    result = ::linkat(root, what.content.c_str(), root, path, 0);
  } else if (S_ISDIR(what.mode)) {
    result = ::mkdirat(root, path, S_IRWXU);
  } else if (S_ISLNK(what.mode)) {
    result = ::symlinkat(what.content.c_str(), root, path);
  } else if (S_ISREG(what.mode)) {
    const descriptor file{
        ::openat(root, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, what.mode & permission_bits)};
    if (file.value() < 0) throw_cannot("copy " + what.path);
    if (const int error = write_all(file.value(), what.content)) throw_cannot("copy " + what.path, error);
    const std::array times{what.modified, what.modified};
    if (::geteuid() == 0 && what.owner != 0) result = ::fchown(file.value(), what.owner, what.group);
    // After the owner: a change of owner clears the set-user-id bit.
    result |= ::fchmod(file.value(), what.mode & permission_bits) | ::futimens(file.value(), times.data());
  } else {
    result = ::mknodat(root, path, what.mode, 0);
  }
  if (result != 0) throw_cannot("copy " + what.path);
}

void tree_image::lay_out(const fs::path& into) const {
  const descriptor root{::open(into.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (root.value() < 0) throw_cannot("open " + into.string());
  for (const auto& one : nodes_) lay_out_node(root.value(), one);
  // Last, from the leaves up: writing into a directory changes its time, and its mode may forbid writing.
  for (auto at = nodes_.rbegin(); at != nodes_.rend(); ++at) {
    const node& one = *at;
    if (!S_ISDIR(one.mode)) continue;
    const std::array times{one.modified, one.modified};
    if (::geteuid() == 0 && one.owner != 0) {
      (void)::fchownat(root.value(), one.path.c_str(), one.owner, one.group, AT_SYMLINK_NOFOLLOW);
    }
    if (::fchmodat(root.value(), one.path.c_str(), one.mode & permission_bits, 0) != 0 ||
        ::utimensat(root.value(), one.path.c_str(), times.data(), 0) != 0) {
      throw_cannot("copy " + one.path);
    }
  }
}

} // namespace checker
