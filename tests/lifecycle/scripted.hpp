// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#pragma once

#include <lastcall/lifecycle/context.hpp>

#include <functional>
#include <mutex>
#include <string>

namespace lifecycle_test {

/// What was called, in order: "+db +http -http -db".
class diary {
public:
  void add(const std::string& entry) {
    const std::lock_guard hold{mutex_};
    text_ += text_.empty() ? entry : " " + entry;
  }
  std::string text() const {
    const std::lock_guard hold{mutex_};
    return text_;
  }

private:
  mutable std::mutex mutex_;
  std::string text_;
};

using action = std::function<void(lastcall::context&)>;

/// A component that writes the diary and then does what the test says.
class scripted {
public:
  explicit scripted(diary& to, action start = {}, action stop = {})
      : diary_{to}, start_{std::move(start)}, stop_{std::move(stop)} {}

  void start(lastcall::context& at) {
    diary_.add("+" + at.name());
    if (start_) start_(at);
  }
  void stop(lastcall::context& at) {
    diary_.add("-" + at.name());
    if (stop_) stop_(at);
  }

private:
  diary& diary_;
  action start_;
  action stop_;
};

} // namespace lifecycle_test
