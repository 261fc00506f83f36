// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "subject/tree.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/un.h>

#include <fstream>
#include <stdlib.h>
#include <system_error>

namespace {

namespace fs = std::filesystem;

class Tree : public testing::Test {
protected:
  void SetUp() override {
    std::string made = testing::TempDir() + "/treeXXXXXX";
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    root = made;
  }
  void TearDown() override { fs::remove_all(root); }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream{root / name, std::ios::binary} << content;
  }
  fs::path root;
};

TEST_F(Tree, HoldsEveryNameBelowTheRoot) {
  fs::create_directories(root / "a/b");
  write("a/b/c", "x");
  write("top", "");
  const auto found = checker::read_tree(root);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found.at("a").type, checker::entry::kind::directory);
  EXPECT_EQ(found.at("a/b").type, checker::entry::kind::directory);
  EXPECT_EQ(found.at("a/b/c").size, 1u);
  EXPECT_EQ(found.at("top").size, 0u);
}

TEST_F(Tree, EqualContentsAreEqualWhateverTheirTimes) {
  write("one", "same");
  write("two", "same");
  fs::last_write_time(root / "two", fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto found = checker::read_tree(root);
  EXPECT_EQ(found.at("one"), found.at("two"));
}

TEST_F(Tree, OneOtherByteShowsAlsoInALongFile) {
  std::string content(300'000, 'x');
  write("one", content);
  write("same", content);
  content[250'000] = 'y';
  write("two", content);
  const auto found = checker::read_tree(root);
  EXPECT_EQ(found.at("one"), found.at("same"));
  EXPECT_FALSE(found.at("one") == found.at("two"));
}

TEST_F(Tree, AFileOfExactlyOneBufferIsReadWhole) {
  write("one", std::string(65'536, 'x'));
  write("two", std::string(65'535, 'x') + 'y');
  const auto found = checker::read_tree(root);
  EXPECT_FALSE(found.at("one").digest.empty());
  EXPECT_NE(found.at("one").digest, found.at("two").digest);
}

TEST_F(Tree, SymlinksAreNotFollowed) {
  fs::create_symlink("/usr", root / "link");
  fs::create_symlink("nowhere", root / "dangling");
  const auto found = checker::read_tree(root);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found.at("link").type, checker::entry::kind::symlink);
  EXPECT_EQ(found.at("link").digest, "/usr");
  EXPECT_EQ(found.at("dangling").digest, "nowhere");
}

TEST_F(Tree, AFifoIsNotOpened) {
  ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(checker::read_tree(root).at("pipe").type, checker::entry::kind::fifo);
}

TEST_F(Tree, ModesCount) {
  write("one", "x");
  write("two", "x");
  ASSERT_EQ(::chmod((root / "two").c_str(), 0600), 0);
  const auto found = checker::read_tree(root);
  EXPECT_FALSE(found.at("one") == found.at("two"));
}

TEST_F(Tree, ARootThatIsNotThereIsNamed) {
  try {
    (void)checker::read_tree(root / "missing");
    FAIL() << "read a directory that is not there";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos);
  }
}

} // namespace
