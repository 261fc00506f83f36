// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stream/stepped_thread.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

#include <ucontext.h>

namespace {

std::atomic<int> steps_left{0};
std::atomic<int> state{0}; // 0 runs, 1 stopped, 2 over
std::atomic<bool> go_on{false};

#if defined(__x86_64__)
constexpr long trap_flag = 0x100;

void on_step(int, siginfo_t*, void* context) {
  const int kept = errno;
  if (steps_left.fetch_sub(1) == 1) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    registers[REG_EFL] &= ~trap_flag;
    state.store(1);
    state.notify_all();
    go_on.wait(false);
  }
  errno = kept;
}

void begin_steps() { asm volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc"); }
void end_steps() { asm volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc"); }
#else
void on_step(int, siginfo_t*, void*) {}
void begin_steps() {}
void end_steps() {}
#endif

} // namespace

stepped_thread::stepped_thread(int nth, std::function<void()> prepare, std::function<void()> fn) {
  struct ::sigaction action {};
  action.sa_sigaction = on_step;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGTRAP, &action, nullptr);
  steps_left = nth;
  state = 0;
  go_on = false;
  thread_ = std::thread{[prepare = std::move(prepare), fn = std::move(fn)] {
    prepare();
    begin_steps();
    fn();
    end_steps();
    int running = 0;
    state.compare_exchange_strong(running, 2);
    state.notify_all();
  }};
  state.wait(0);
}

bool stepped_thread::stopped() const noexcept { return state.load() == 1; }

void stepped_thread::release() {
  go_on = true;
  go_on.notify_all();
  if (thread_.joinable()) thread_.join();
}
