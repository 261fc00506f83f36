// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
/// Last words while a thread stands still anywhere in `write`: at every instruction of it, one after the
/// other.
///
/// Whatever the instruction: last words end in time; what was accepted before is out, or was reported; others
/// can write on, or are told that they cannot; and when the thread goes on, its record is there exactly once,
/// behind what was there before. No record is torn.

#include "stream/a_stream.hpp"
#include "stream/stepped_thread.hpp"

#include <string>
#include <vector>

using namespace lastcall;
using namespace streams;

namespace {

std::size_t times(const std::string& what, const std::string& in) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = in.find(what, at)) != std::string::npos; at += what.size()) ++count;
  return count;
}

struct scene {
  flush_mode mode = flush_mode::block;
  std::string before; ///< accepted when the thread begins
  std::string record; ///< what it writes
  std::string after = "<after>";
};

// What last words have reported while the thread stood still, against what was out by then. Uncertain bytes
// may be out already: the thread stands behind its call.
void judge_report(const std::vector<stream_end>& ends, const std::string& out, const scene& what) {
  std::uint64_t lost = 0, uncertain = 0;
  for (const auto& end : ends) {
    lost += end.lost;
    uncertain += end.uncertain;
    EXPECT_EQ(end.name, "test");
    EXPECT_NE(end.holder, "");
  }
  EXPECT_TRUE((what.before + what.record).starts_with(out)) << out;
  const auto accounted = out.size() + lost + uncertain;
  EXPECT_GE(accounted, what.before.size());
  EXPECT_LE(out.size() + lost, what.before.size() + what.record.size());
  EXPECT_EQ(lost, 0U); // all that was accepted was in the write that did not come back
}

int at_every_instruction(const scene& what) {
  for (int nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    detail::set_write_through(false);
    const two_ends pipe, unused;
    auto out = make_writer(pipe.in(), 32, what.mode);
    EXPECT_EQ(out.write(what.before), what.before.size());
    std::size_t accepted = 0;
    std::error_code failed;
    stepped_thread writer{nth,
                          [&] {
                            auto other = make_writer(unused.in());
                            other.write("the thread has its id and its seat");
                            other.flush();
                          },
                          [&] { accepted = out.write(what.record, failed); }};
    if (!writer.stopped()) return nth;

    const auto ends = say_last_words(1ms);
    const std::string then = pipe.drained();
    judge_report(ends, then, what);
    std::error_code refused;
    const std::size_t went_on = out.write(what.after, refused);
    EXPECT_TRUE(refused ? refused == stream_errc::stuck && went_on == 0 : went_on == what.after.size());
    EXPECT_EQ(static_cast<bool>(refused), !ends.empty());

    writer.release();
    EXPECT_EQ(accepted, what.record.size()) << failed.message();
    EXPECT_FALSE(failed);
    out.flush(failed);
    const std::string all = then + pipe.drained();
    EXPECT_TRUE(all.starts_with(what.before)) << all;
    EXPECT_EQ(times(what.before, all), 1U) << all;
    EXPECT_EQ(times(what.record, all), 1U) << all;
    EXPECT_EQ(times(what.after, all), refused ? 0U : 1U) << all;
    EXPECT_EQ(all.size(), what.before.size() + what.record.size() + went_on) << all;
    const auto counts = out.counts();
    EXPECT_EQ(counts.written, all.size());
    EXPECT_EQ(counts.lost + counts.buffered, 0U);
    if (testing::Test::HasFailure()) return nth;
  }
}

} // namespace

#define NEEDS_STEPS()                                                                                        \
  if (!stepped_thread::possible) GTEST_SKIP() << "no single steps here"

TEST(EveryInstruction, OfARecordThatFits) {
  NEEDS_STEPS();
  EXPECT_GT(at_every_instruction({.before = "<before>", .record = "<record>"}), 30);
}

TEST(EveryInstruction, OfARecordThatNeedsRoom) {
  NEEDS_STEPS();
  EXPECT_GT(at_every_instruction({.before = "<before, which fills most>", .record = "<record>"}), 100);
}

TEST(EveryInstruction, OfALine) {
  NEEDS_STEPS();
  EXPECT_GT(at_every_instruction({.mode = flush_mode::line, .before = "<before>", .record = "<record>\n"}),
            100);
}

TEST(EveryInstruction, OfARecordLargerThanTheBuffer) {
  NEEDS_STEPS();
  EXPECT_GT(at_every_instruction({.before = "<before>", .record = "<record " + std::string(100, 'x') + ">"}),
            100);
}
