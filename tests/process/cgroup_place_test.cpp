// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "process/cgroup_place.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace {

using lastcall::detail::cgroup_place_of;

constexpr auto plain = "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
                       "40 30 0:37 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n";

std::string directory(const std::string& mounts, const std::string& memberships) {
  const auto place = cgroup_place_of(mounts, memberships);
  EXPECT_NE(place.directory.empty(), place.trouble.empty());
  return place.trouble.empty() ? place.directory : "none: " + place.trouble;
}

TEST(CgroupPlace, IsBelowTheMount) {
  EXPECT_EQ(directory(plain, "0::/user.slice/a.scope\n"), "/sys/fs/cgroup/user.slice/a.scope");
  EXPECT_EQ(directory(plain, "0::/\n"), "/sys/fs/cgroup");
  EXPECT_EQ(directory(plain, "0::/a"), "/sys/fs/cgroup/a") << "without a last line end";
}

TEST(CgroupPlace, IsFoundBesideTheFirstVersion) {
  const std::string both =
      "30 22 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
      "31 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "40 30 0:37 / /sys/fs/cgroup/unified rw master:1 propagate_from:2 - cgroup2 x rw\n";
  EXPECT_EQ(directory(both, "9:name=systemd:/s\n4:memory:/m\n0::/u\n"), "/sys/fs/cgroup/unified/u");
}

TEST(CgroupPlace, OfAContainerThatSeesAPartOfTheTree) {
  const std::string part = "40 30 0:37 /docker/12 /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
  EXPECT_EQ(directory(part, "0::/docker/12\n"), "/sys/fs/cgroup");
  EXPECT_EQ(directory(part, "0::/docker/12/a\n"), "/sys/fs/cgroup/a");
  const std::string hidden = "none: /proc/self/mountinfo (no cgroup2 is mounted in which ";
  EXPECT_EQ(directory(part, "0::/docker/123\n"), hidden + "/docker/123 is seen)");
  EXPECT_EQ(directory(plain, "0::/../other\n"), hidden + "/../other is seen)");
  EXPECT_EQ(directory(plain, "0::/..\n"), hidden + "/.. is seen)");
  EXPECT_EQ(directory(plain, "0::/..a\n"), "/sys/fs/cgroup/..a");
  EXPECT_EQ(directory(part + plain, "0::/other\n"), "/sys/fs/cgroup/other") << "in the second one";
  EXPECT_EQ(directory("1 2 0:3 /.. /c rw - cgroup2 c rw\n", "0::/../a\n"), "/c/a") << "a mount from outside";
}

TEST(CgroupPlace, HasEscapedNames) {
  const std::string odd = R"(1 2 0:3 /a\134b /mnt/two\040words\011\012 rw - cgroup2 c rw)"
                          "\n";
  EXPECT_EQ(directory(odd, "0::/a\\b/x\\040y\n"), "/mnt/two words\t\n/x\\040y") << "escaped in one file only";
  EXPECT_EQ(directory("1 2 0:3 / /m\\04 rw - cgroup2 c rw\n", "0::/\n"), "/m\\04") << "no escape";
  EXPECT_EQ(directory("1 2 0:3 / /m\\ rw - cgroup2 c rw\n", "0::/\n"), "/m\\");
}

TEST(CgroupPlace, SaysWhatIsMissing) {
  EXPECT_EQ(directory(plain, ""), "none: /proc/self/cgroup (no line of cgroup2)");
  EXPECT_EQ(directory(plain, "9:name=systemd:/\n10::/a\n"), "none: /proc/self/cgroup (no line of cgroup2)");
  const std::string no_mount = "none: /proc/self/mountinfo (no cgroup2 is mounted)";
  for (const std::string mounts :
       {"", "\n", "-", "1 2 3 4", "1 2 0:3 / /cgroup2 rw - ext4 cgroup2 rw\n", "1 2 0:3 / /c rw cgroup2\n",
        "1 2 0:3 / /c rw -\n", "- - - - - - - -\n", "1 2 0:3  - cgroup2 cgroup2 -\n"})
    EXPECT_EQ(directory(mounts, "0::/\n"), no_mount) << mounts;
}

TEST(CgroupPlace, OfVeryLongLines) {
  const std::string path(1U << 20U, 'x');
  std::string mounts;
  for (int i = 0; i < 10000; ++i) mounts += "1 2 0:3 / /m" + std::to_string(i) + " rw - tmpfs t rw\n";
  mounts += "1 2 0:3 /" + path + " /" + path + " rw - cgroup2 c rw";
  EXPECT_EQ(directory(mounts, "1:cpu:/" + path + "\n0::/" + path + "/y").size(), path.size() + 3);
}

TEST(CgroupPlace, OfAnyBytesIsNoneOrSome) {
  std::mt19937 random{4711};
  const std::string letters = "0:/.-\\4 \ncgroup2";
  for (int round = 0; round < 20000; ++round) {
    std::string mounts = plain, memberships = "0::/a/b\n";
    for (std::string* each : {&mounts, &memberships})
      for (unsigned i = 0; i < round % 7U; ++i) {
        const auto at = random() % each->size();
        if (random() % 3U == 0)
          each->erase(at, random() % 5U);
        else
          each->insert(at, 1, letters[random() % letters.size()]);
        if (each->empty()) *each = "0";
      }
    directory(mounts, memberships);
  }
}

} // namespace
