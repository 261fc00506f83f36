// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// One look at stacks, with an end
//
// The samples are taken by sys::sample_threads, which is bounded by itself. What follows is not: libdwfl
// reads the program's files, which may lie on a file system that does not answer, and as much debug
// information as there is. So all of it is done on a thread of its own, and who asked waits for that thread
// until the deadline and takes what is there. The thread is then left behind with all it refers to, and ends
// when it can.
//
// Only one such thread exists at a time: two samplers would refuse each other the threads they hold, and a
// file system that does not answer costs one thread, not one for each report. Whoever finds it busy until his
// deadline says so.
#include "stacks/look.hpp"

#include "stacks/debug_info.hpp"
#include "stacks/refusal.hpp"
#include "sys/calls.hpp"
#include "sys/thread.hpp"
#include "sys/thread_sampler.hpp"

#include <lastcall/wait/futex.hpp>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <utility>

namespace lastcall::stacks {

constinit std::atomic<void (*)()> in_the_middle{nullptr};

namespace {

constexpr std::size_t most_of_one_stack = 128UL * 1024, most_of_all = 64UL * 1024 * 1024; // bytes
constexpr std::int64_t longest_sampling = 1'000'000'000;

// Process id of whose look is under way; 0: nobody's. A forked child finds its parent's there, and takes
// over.
constinit std::atomic<std::uint32_t> the_looker{0};

bool become_the_looker(deadline& until) noexcept {
  const auto self = static_cast<std::uint32_t>(sys::getpid());
  for (;;) {
    std::uint32_t now = the_looker.load(std::memory_order_relaxed);
    if (now != self) {
      // Pairs with the release of stop_looking: the state of the last look is not used again.
      if (the_looker.compare_exchange_weak(now, self, std::memory_order_acquire)) return true;
      continue;
    }
    if (wait::futex_wait(the_looker, now, until) == wait::futex_result::timed_out) return false;
  }
}

void stop_looking() noexcept {
  the_looker.store(0, std::memory_order_release);
  wait::futex_wake_one(the_looker);
}

struct found {
  std::vector<stack_frame> frames;
  std::string missing = "there was no time left for it";
};

// Shared by who asks and the thread that looks.
struct job {
  std::vector<sys::thread_sample> samples;
  std::int64_t until = 0; // monotonic, for sampling
  std::atomic<std::uint32_t> begun{0};
  std::atomic<bool> left{false};
  std::atomic<std::uint32_t> done{0};
  std::mutex lock; // of `all`
  std::vector<found> all;

  void put(std::size_t which, found what) {
    const std::scoped_lock putting{lock};
    all[which] = std::move(what);
  }
  void say_of_all(const std::string& missing) {
    for (std::size_t i = 0; i < samples.size(); ++i) put(i, {{}, missing});
  }
};

class pages {
public:
  explicit pages(std::size_t size) : at_{sys::take_pages(size)}, size_{size} {
    if (at_ == nullptr) throw std::bad_alloc{};
  }
  ~pages() {
    if (at_ != nullptr) sys::give_pages_back(at_, size_);
  }
  pages(const pages&) = delete;
  pages& operator=(const pages&) = delete;
  std::byte* begin() const noexcept { return at_; }
  std::size_t size() const noexcept { return size_; }
  void leave() noexcept { at_ = nullptr; }

private:
  std::byte* at_;
  std::size_t size_;
};

found without_names(const debug_info& info, const std::vector<place>& places, const std::string& missing) {
  found what{{}, missing.empty() ? "there was no time left for names" : missing};
  for (const place& each : places) what.frames.push_back(info.locate(each));
  return what;
}

// First the places of all threads, which is quick, then their names, which may not be.
void find_out(job& work) {
  debug_info info;
  std::vector<std::vector<place>> places(work.samples.size());
  std::vector<std::string> missing(work.samples.size());
  for (std::size_t i = 0; i < work.samples.size() && !work.left; ++i) {
    const sys::thread_sample& sample = work.samples[i];
    if (sample.error != 0)
      missing[i] = refusal_of(sample.thread, sample.error);
    else if (!info.missing().empty())
      missing[i] = info.missing();
    else if (places[i] = info.unwind(sample, missing[i]); sample.stack_size == 0 && missing[i].empty())
      missing[i] = "its stack could not be copied";
    work.put(i, without_names(info, places[i], missing[i]));
  }
  for (std::size_t i = 0; i < work.samples.size(); ++i) {
    found what;
    for (const place& each : places[i]) {
      if (work.left) return;
      info.name(each, what.frames);
    }
    what.missing = std::move(missing[i]);
    work.put(i, std::move(what));
  }
}

// Who asks may be looked at as well. The stack of a thread that is just making another cannot be followed: at
// the instruction after the call, the C library has no unwinding information.
void await_beginning(job& work) noexcept {
  deadline until = deadline::never();
  // Pairs with look_at's release.
  while (work.begun.load(std::memory_order_acquire) == 0) wait::futex_wait(work.begun, 0, until);
}

void look(const std::shared_ptr<job>& work) {
  await_beginning(*work);
  pages room{std::min(work->samples.size() * most_of_one_stack, most_of_all)};
  sys::sampling taking;
  taking.samples = work->samples.data();
  taking.count = work->samples.size();
  taking.room = room.begin();
  taking.room_size = room.size();
  taking.most_of_one = most_of_one_stack;
  taking.within_ns = std::max<std::int64_t>(work->until - sys::monotonic_ns(), 0);
  taking.in_the_middle = in_the_middle;
  if (const int failed = sys::sample_threads(taking); failed < 0) {
    if (failed == -EBUSY) { // all of it still belongs to the sampler
      room.leave();
      new std::shared_ptr<job>{work}; // NOLINT(cppcoreguidelines-owning-memory)
    }
    work->say_of_all(failure_of_sampling(-failed));
    return;
  }
  find_out(*work);
}

void* run(void* argument) noexcept {
  const std::unique_ptr<std::shared_ptr<job>> mine{static_cast<std::shared_ptr<job>*>(argument)};
  job& work = **mine;
  try {
    look(*mine);
  } catch (const std::exception& failure) {
    try {
      work.say_of_all(failure.what());
    } catch (const std::bad_alloc&) { // then it is as if there had been no time
    }
  }
  stop_looking();
  work.done.store(1, std::memory_order_release); // pairs with the acquire of who waits
  wait::futex_wake_all(work.done);
  return nullptr;
}

std::shared_ptr<job> job_for(std::span<const thread_stack> threads, const deadline& until) {
  auto work = std::make_shared<job>();
  work->samples.resize(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i) work->samples[i].thread = threads[i].thread;
  work->all.resize(threads.size());
  // Half of the time is for what comes after.
  const std::int64_t half = until.remaining().count() / 2;
  work->until = sys::monotonic_ns() + std::min(half, longest_sampling);
  return work;
}

void say_of_all(std::span<thread_stack> threads, const std::string& missing) {
  for (thread_stack& each : threads) each.missing = missing;
}

} // namespace

void look_at(std::span<thread_stack> threads, deadline until) {
  if (threads.empty()) return;
  auto work = std::make_unique<std::shared_ptr<job>>(job_for(threads, until));
  const std::shared_ptr<job> kept = *work;
  if (!become_the_looker(until)) return say_of_all(threads, "another look at stacks has not ended yet");
  pthread_t looking{};
  if (const int failed = sys::start_deaf_thread(looking, &run, work.get(), "lastcall-stacks"); failed < 0) {
    stop_looking();
    return say_of_all(threads, "no thread could be started for it: " +
                                   std::error_code{-failed, std::generic_category()}.message());
  }
  static_cast<void>(work.release());
  kept->begun.store(1, std::memory_order_release);
  wait::futex_wake_all(kept->begun);
  while (kept->done.load(std::memory_order_acquire) == 0)
    if (wait::futex_wait(kept->done, 0, until) == wait::futex_result::timed_out) break;
  kept->left = true;
  // Once it is done, nothing keeps it from ending but the processor.
  if (kept->done.load(std::memory_order_acquire) == 0 || !sys::join(looking, longest_sampling))
    sys::detach(looking);
  const std::scoped_lock taking{kept->lock};
  for (std::size_t i = 0; i < threads.size(); ++i) {
    threads[i].frames = std::move(kept->all[i].frames);
    threads[i].missing = std::move(kept->all[i].missing);
  }
}

} // namespace lastcall::stacks
