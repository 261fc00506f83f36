// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include <lastcall/process/this_worker.hpp>

#include <lastcall/wait/futex.hpp>

#include "process/lifeline.hpp"
#include "process/log_client.hpp"
#include "process/worker_state.hpp"
#include "sys/failure.hpp"
#include "sys/thread.hpp"

namespace lastcall::this_worker {

namespace {

// Callbacks of the program run here. The lifeline's thread must not: it could be kept from its watch.
void* fire(void*) noexcept {
  const auto& word = detail::the_lifeline().stop_word();
  deadline until = deadline::never();
  while (word.load(std::memory_order_acquire) == 0)
    wait::futex_wait(word, 0, until); // pairs with ask_to_stop
  const bool gone = detail::the_lifeline().manager_gone();
  detail::the_worker_state().stop->request_stop(
      gone ? reason{.cause = cause::parent_death, .text = "the worker's manager has ended"}
           : reason{.cause = cause::call, .text = "the pool stops"});
  return nullptr;
}

} // namespace

bool running() noexcept { return index() >= 0; }
int index() noexcept { return detail::the_worker_state().index; }

std::stop_token stop_token() {
  if (!running()) return {};
  auto& state = detail::the_worker_state();
  const std::scoped_lock held{state.lock};
  if (!state.stop) {
    state.stop.emplace();
    pthread_t thread{};
    if (const int result = sys::start_thread(thread, &fire, nullptr); result < 0) {
      state.stop.reset();
      sys::throw_failure(sys::call::thread_create, -result, "a worker's stop token");
    }
    sys::detach(thread);
  }
  return state.stop->token();
}

bool log(std::string_view record) noexcept { return detail::the_log().hand_over(record); }

} // namespace lastcall::this_worker
