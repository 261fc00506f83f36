// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/tree_image.hpp"

#include "subject/cannot_check.hpp"
#include "subject/tree.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace checker {
namespace {
namespace fs = std::filesystem;

class TreeImage : public ::testing::Test {
protected:
  TreeImage() {
    auto path = (fs::temp_directory_path() / "lastcall-test-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    root_ = path;
    fs::create_directory(from());
    fs::create_directory(to());
  }
  ~TreeImage() override {
    fs::permissions(to() / "locked", fs::perms::owner_all, error_);
    fs::permissions(from() / "locked", fs::perms::owner_all, error_);
    fs::remove_all(root_, error_);
  }
  [[nodiscard]] fs::path from() const { return root_ / "from"; }
  [[nodiscard]] fs::path to() const { return root_ / "to"; }
  static void write(const fs::path& path, const std::string& text) { std::ofstream{path} << text; }

private:
  fs::path root_;
  std::error_code error_;
};

TEST_F(TreeImage, LaysOutWhatItLoaded) {
  fs::create_directories(from() / "a/b");
  write(from() / "a/b/data", std::string(100'000, 'x') + '\0' + "end");
  write(from() / "a/tool", "#!/bin/sh\n");
  fs::permissions(from() / "a/tool", fs::perms::owner_exec, fs::perm_options::add);
  fs::create_symlink("../gone", from() / "a/link");
  fs::create_hard_link(from() / "a/tool", from() / "a/twin");
  ASSERT_EQ(::mkfifo((from() / "pipe").c_str(), 0600), 0);
  fs::last_write_time(from() / "a/tool", fs::file_time_type::clock::now() - std::chrono::hours{48});

  tree_image::load(from()).lay_out(to());

  EXPECT_EQ(read_tree(to()), read_tree(from()));
  EXPECT_EQ(fs::last_write_time(to() / "a/tool"), fs::last_write_time(from() / "a/tool"));
  EXPECT_EQ(fs::last_write_time(to() / "a"), fs::last_write_time(from() / "a"));
  EXPECT_EQ(fs::hard_link_count(to() / "a/twin"), 2U);
}

TEST_F(TreeImage, LaysOutADirectoryThatMayNotBeWritten) {
  fs::create_directory(from() / "locked");
  write(from() / "locked/file", "text");
  fs::permissions(from() / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  tree_image::load(from()).lay_out(to());
  EXPECT_TRUE(fs::exists(to() / "locked/file"));
  EXPECT_EQ(fs::status(to() / "locked").permissions(), fs::perms::owner_read | fs::perms::owner_exec);
}

TEST_F(TreeImage, DoesNotChangeWhenTheOriginalDoes) {
  write(from() / "file", "old");
  const auto image = tree_image::load(from());
  const auto before = read_tree(from());
  write(from() / "file", "new and longer");
  image.lay_out(to());
  EXPECT_EQ(read_tree(to()), before);
}

TEST_F(TreeImage, AMissingDirectoryIsNamed) {
  try {
    (void)tree_image::load(from() / "nowhere");
    FAIL() << "must throw";
  } catch (const cannot_check& failure) {
    EXPECT_NE(std::string{failure.what()}.find("nowhere"), std::string::npos) << failure.what();
  }
}

} // namespace
} // namespace checker
