// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
//
// The queue of tasks against a std::deque that does the same, step by step, in random order.
#include "executor/task_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace {

using lastcall::detail::task;
using lastcall::detail::task_queue;

class pair {
public:
  void push(task* one) {
    ours_.push(one);
    model_.push_back(one);
  }
  task* pop() {
    task* const one = ours_.pop();
    EXPECT_EQ(one, model_.empty() ? nullptr : model_.front());
    if (!model_.empty()) model_.pop_front();
    return one;
  }
  pair take(std::size_t count) {
    pair taken;
    taken.ours_ = ours_.take(count);
    EXPECT_LE(taken.ours_.size(), std::max(count, std::size_t{1}));
    if (!model_.empty() && count != 0) {
      EXPECT_GE(taken.ours_.size(), 1u);
    }
    for (std::size_t i = 0; i < taken.ours_.size(); ++i) {
      taken.model_.push_back(model_.front());
      model_.pop_front();
    }
    return taken;
  }
  void append(pair&& other) {
    ours_.append(std::exchange(other.ours_, {}));
    model_.insert(model_.end(), other.model_.begin(), other.model_.end());
    other.model_.clear();
  }
  void check() const {
    EXPECT_EQ(ours_.size(), model_.size());
    EXPECT_EQ(ours_.empty(), model_.empty());
  }

private:
  task_queue ours_;
  std::deque<task*> model_;
};

TEST(TaskQueue, DoesWhatADequeDoes) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random{seed};
    std::vector<std::unique_ptr<task>> tasks(1000);
    std::vector<task*> free;
    for (auto& one : tasks) free.push_back((one = std::make_unique<task>()).get());
    pair first, second;
    for (int step = 0; step < 2000; ++step) {
      pair& one = random() % 2 == 0 ? first : second;
      pair& other = &one == &first ? second : first;
      switch (random() % 5) {
      case 0:
      case 1:
        for (auto many = random() % 40; many > 0 && !free.empty(); --many) {
          one.push(free.back());
          free.pop_back();
        }
        break;
      case 2:
        for (auto many = random() % 40; many > 0; --many)
          if (task* gone = one.pop()) free.push_back(gone);
        break;
      case 3: other.append(one.take(1 + random() % 100)); break;
      default: {
        pair some = one.take(1 + random() % 40);
        while (task* gone = some.pop()) free.push_back(gone);
      }
      }
      one.check();
      other.check();
    }
    while (first.pop() != nullptr || second.pop() != nullptr) {
    }
  }
}

} // namespace
