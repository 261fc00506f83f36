// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

// A tree is read after every single run, so it is read with as few system calls as there can be: every
// name is reached from its directory's descriptor (no path is resolved twice), one fstatat() tells its
// kind, and only files are opened. Nothing is followed: a symlink is its target's text, and a fifo is
// never opened (that would wait for a writer).

namespace checker {
namespace {

struct close_file {
  int fd;
  ~close_file() { ::close(fd); }
};

struct close_directory {
  void operator()(DIR* open) const noexcept { ::closedir(open); }
};

struct free_state {
  void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
};

std::string text(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  std::string hex;
  hex.reserve(2 * sizeof bytes.digest);
  for (const unsigned char byte : bytes.digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

/// Most files fit the first read and are hashed in one go; the streaming state is made for longer ones only.
std::string digest_of_file(int directory, const char* name) {
  const int fd = ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return {};
  const close_file closer{fd};
  thread_local const auto buffer = std::make_unique<std::array<char, 1 << 16>>();
  std::unique_ptr<XXH3_state_t, free_state> state;
  for (;;) {
    const ssize_t got = ::read(fd, buffer->data(), buffer->size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    const auto size = static_cast<std::size_t>(got);
    if (!state && size < buffer->size()) return text(XXH3_128bits(buffer->data(), size));
    if (got == 0) return text(XXH3_128bits_digest(state.get()));
    if (!state) {
      state.reset(XXH3_createState());
      if (!state) throw std::bad_alloc{};
      XXH3_128bits_reset(state.get());
    }
    XXH3_128bits_update(state.get(), buffer->data(), size);
  }
}

std::string target_of_symlink(int directory, const char* name) {
  std::array<char, 4096> target;
  const ssize_t size = ::readlinkat(directory, name, target.data(), target.size());
  return size < 0 ? std::string{} : std::string(target.data(), static_cast<std::size_t>(size));
}

entry::kind kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
  case S_IFDIR: return entry::kind::directory;
  case S_IFLNK: return entry::kind::symlink;
  case S_IFIFO: return entry::kind::fifo;
  case S_IFSOCK: return entry::kind::socket;
  case S_IFREG: return entry::kind::file;
  default: return entry::kind::device;
  }
}

void read_directory(int fd, const std::string& prefix, tree& into) {
  const std::unique_ptr<DIR, close_directory> open{::fdopendir(fd)};
  if (!open) {
    ::close(fd);
    return;
  }
  while (const dirent* found = ::readdir(open.get())) {
    const std::string_view name = found->d_name;
    if (name == "." || name == "..") continue;
    struct stat facts {};
    if (::fstatat(fd, found->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0) continue; // vanished meanwhile
    entry seen{.type = kind_of(facts.st_mode), .mode = facts.st_mode & 07777u, .size = 0, .digest = {}};
    const std::string path = prefix + found->d_name;
    if (seen.type == entry::kind::file) {
      seen.size = static_cast<std::uint64_t>(facts.st_size);
      seen.digest = digest_of_file(fd, found->d_name);
    } else if (seen.type == entry::kind::symlink) {
      seen.digest = target_of_symlink(fd, found->d_name);
    } else if (seen.type == entry::kind::directory) {
      const int below =
          ::openat(fd, found->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
      if (below >= 0) read_directory(below, path + '/', into);
    }
    into.emplace(path, std::move(seen));
  }
}

} // namespace

tree read_tree(const std::filesystem::path& root) {
  const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot read " + root.string());
  tree found;
  read_directory(fd, {}, found);
  return found;
}

} // namespace checker
