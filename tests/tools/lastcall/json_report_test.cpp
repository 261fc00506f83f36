// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "report/json_report.hpp"
#include "tools/lastcall/trees.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <stdlib.h>
#include <system_error>

namespace {

using namespace checker;
using namespace checker::written;
namespace fs = std::filesystem;

tally one_finding() {
  tally seen;
  run bad = interrupted();
  bad.err = "not \xff text\n";
  seen.add(bad, {{.what = verdict::leftover,
                  .signature = "leftover: STRAY a.lock",
                  .files = {"STRAY a.lock"},
                  .sentence = "leaves STRAY a.lock"}});
  return seen;
}

TEST(Json, HasEverythingAProgramNeeds) {
  options with;
  with.argv = {"prog", "\xff"};
  const auto report = nlohmann::json::parse(json_report(with, {}, one_finding()));
  EXPECT_EQ(report.at("subject").at(0), "prog");
  for (const char* name : {"points", "runs", "not_injected", "elapsed_s", "runs_per_s"})
    EXPECT_TRUE(report.at(name).is_number()) << name;
  const auto& found = report.at("findings").at(0);
  EXPECT_EQ(found.at("verdict"), "leftover");
  EXPECT_EQ(found.at("signature"), "leftover: STRAY a.lock");
  EXPECT_EQ(found.at("count"), 1);
  EXPECT_EQ(found.at("key"), "0:write(1)#1@before");
  EXPECT_EQ(found.at("signal"), "INT");
  EXPECT_EQ(found.at("position"), "before");
  EXPECT_EQ(found.at("scope"), "process");
  EXPECT_EQ(found.at("files").at(0), "STRAY a.lock");
  EXPECT_EQ(found.at("status"), "SIGINT");
  EXPECT_TRUE(found.at("stderr").is_string());
  EXPECT_TRUE(found.at("reproduce").get<std::string>().starts_with("lastcall check "));
}

class WriteReport : public testing::Test {
protected:
  void SetUp() override {
    std::string made = testing::TempDir() + "/jsonXXXXXX";
    ASSERT_NE(::mkdtemp(made.data()), nullptr);
    root = made;
  }
  void TearDown() override { fs::remove_all(root); }
  std::string content(const fs::path& file) const {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path root;
};

TEST_F(WriteReport, ReplacesTheFileAndLeavesNothingBesideIt) {
  std::ofstream{root / "r.json"} << "old";
  write_report(root / "r.json", "new\n");
  EXPECT_EQ(content(root / "r.json"), "new\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(root), {}), 1);
}

TEST_F(WriteReport, AMissingDirectoryIsNamed) {
  try {
    write_report(root / "nowhere/r.json", "x");
    FAIL() << "wrote into a directory that is not there";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("nowhere/r.json"), std::string::npos);
  }
}

TEST_F(WriteReport, AFullDiskIsAnErrorAlsoForADevice) {
  EXPECT_THROW(write_report("/dev/full", "x"), std::system_error);
}

} // namespace
