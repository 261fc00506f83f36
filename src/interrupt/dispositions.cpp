// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "interrupt/dispositions.hpp"

#include "sys/calls.hpp"

#include <algorithm>
#include <array>
#include <atomic>

namespace lastcall::detail {

namespace {

using entry_bits = std::uint8_t;
static_assert(entry_count <= 8 * sizeof(entry_bits));
constexpr entry_bits bit_of_entry(std::size_t entry) noexcept { return static_cast<entry_bits>(1U << entry); }

struct memory {
  // Written before our handler is installed, and published by `latest`. Not written while a handler may be
  // reading: see dispositions.hpp.
  struct ::sigaction found {};
  std::atomic<bool> spent{false}; // SA_RESETHAND, and it was called; relaxed: the exchange decides
};

// Of one signal. Relaxed, but for the publication: written by the owner between scopes, or by a handler that
// has seen its entry on top; a handler that sees it late does what it would have done a moment earlier.
struct ledger {
  std::array<memory, entry_count> entries;
  std::atomic<entry_bits> buried{0};
  std::atomic<std::uint8_t> latest{0};
};
constinit std::array<ledger, signal_limit> ledgers{};

ledger& ledger_of(int signal) noexcept { return ledgers[static_cast<std::size_t>(signal)]; }

constexpr std::size_t nobody = entry_count;

// Which of our entries this is, or nobody's.
std::size_t entry_of(const struct ::sigaction& what) noexcept {
  if ((what.sa_flags & SA_SIGINFO) == 0) return nobody;
  for (std::size_t entry = 0; entry < entry_count; ++entry)
    if (what.sa_sigaction == entries[entry]) return entry;
  return nobody;
}

bool same_action(const struct ::sigaction& a, const struct ::sigaction& b) noexcept {
  return a.sa_handler == b.sa_handler && (a.sa_flags & SA_SIGINFO) == (b.sa_flags & SA_SIGINFO);
}

bool is_plain(const struct ::sigaction& what, void (*handler)(int)) noexcept {
  return (what.sa_flags & SA_SIGINFO) == 0 && what.sa_handler == handler;
}

// What the kernel would have there had we not come: a handler for one call is gone after it.
struct ::sigaction found_by(int signal, std::size_t entry) noexcept {
  const ledger& of = ledger_of(signal);
  [[maybe_unused]] const auto published = of.latest.load(std::memory_order_acquire); // pairs with install
  const memory& there = of.entries[entry];
  if (!there.spent.load(std::memory_order_relaxed)) return there.found;
  struct ::sigaction gone = there.found;
  gone.sa_handler = SIG_DFL;
  gone.sa_flags &= ~SA_SIGINFO;
  return gone;
}

struct ::sigaction call_of(int signal, std::size_t entry) noexcept {
  struct ::sigaction what = found_by(signal, entry);
  if (!is_function(what)) return {};
  if ((what.sa_flags & static_cast<int>(SA_RESETHAND)) != 0 &&
      ledger_of(signal).entries[entry].spent.exchange(true, std::memory_order_relaxed))
    return {};
  return what;
}

void unearth(int signal, std::size_t entry) noexcept {
  ledger_of(signal).buried.fetch_and(static_cast<entry_bits>(~bit_of_entry(entry)),
                                     std::memory_order_relaxed);
}

// The one after the latest that is not buried. If they all are, the oldest: 0 remains of a program in which
// seven others sit on as many of our entries, for this one signal.
std::size_t fresh_entry(int signal) noexcept {
  ledger& of = ledger_of(signal);
  const std::size_t latest = of.latest.load(std::memory_order_relaxed);
  std::size_t chosen = (latest + 1) % entry_count;
  for (std::size_t ahead = 1; ahead < entry_count; ++ahead) {
    const std::size_t next = (latest + ahead) % entry_count;
    if ((of.buried.load(std::memory_order_relaxed) & bit_of_entry(next)) != 0) continue;
    chosen = next;
    break;
  }
  unearth(signal, chosen);
  return chosen;
}

bool put_back(int signal, std::size_t entry) noexcept {
  const struct ::sigaction found = found_by(signal, entry);
  if (sys::sigaction(signal, &found, nullptr) < 0) return false;
  unearth(signal, entry); // whoever was on it has gone
  return true;
}

} // namespace

bool is_function(const struct ::sigaction& what) noexcept {
  return !is_plain(what, SIG_DFL) && !is_plain(what, SIG_IGN);
}

const char* why_unhandled(int signal) noexcept {
  static constexpr std::array faults{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
  if (signal < 1 || signal > SIGRTMAX) return "there is no such signal";
  if (signal >= 32 && signal < SIGRTMIN) return "the C library keeps it for itself";
  if (signal == SIGKILL || signal == SIGSTOP) return "the kernel lets nobody catch it";
  if (std::find(faults.begin(), faults.end(), signal) != faults.end())
    return "a fault of the program raises it, and the program cannot go on after its handler";
  return nullptr;
}

int install(int signal, const taking_terms& terms, taking& result) noexcept {
  ledger& of = ledger_of(signal);
  struct ::sigaction found {};
  if (const int error = sys::sigaction(signal, nullptr, &found); error < 0) return error;
  // Ours already in place is what a refused give_back left, or somebody who has gone: what was found then
  // still counts.
  const std::size_t left_over = entry_of(found);
  if (left_over != nobody) found = found_by(signal, left_over);
  result = taking::installed;
  if (terms.ignored == inherited_ignore::keep && is_plain(found, SIG_IGN)) result = taking::left_ignored;
  if (terms.found == found_handler::keep && is_function(found)) result = taking::left_alone;
  if (result != taking::installed) return left_over == nobody || put_back(signal, left_over) ? 0 : -EAGAIN;

  const std::size_t entry = fresh_entry(signal);
  of.entries[entry].found = found;
  of.entries[entry].spent.store(false, std::memory_order_relaxed);
  of.latest.store(static_cast<std::uint8_t>(entry), std::memory_order_release); // pairs with found_by
  // A handler that wants calls to end when it has run must get that, also behind ours. What SIGCHLD's flags
  // say is about children, whoever handles the signal.
  const bool follows = terms.found == found_handler::chain && is_function(found);
  struct ::sigaction ours {};
  ours.sa_sigaction = entries[entry];
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (found.sa_flags & (SA_NOCLDSTOP | SA_NOCLDWAIT)) |
                  (follows ? found.sa_flags & SA_RESTART : SA_RESTART);
  sigemptyset(&ours.sa_mask);
  for (int other = 1; other < signal_limit; ++other)
    if ((terms.together & bit_of(other)) != 0) sigaddset(&ours.sa_mask, other);
  if (const int error = sys::sigaction(signal, &ours, nullptr); error < 0) return error;
  if (left_over != nobody) unearth(signal, left_over);
  return 0;
}

void give_back(int signal) noexcept {
  ledger& of = ledger_of(signal);
  for (int tries = 0; tries < 2; ++tries) {
    struct ::sigaction now {};
    if (sys::sigaction(signal, nullptr, &now) < 0) continue;
    const std::size_t entry = entry_of(now);
    if (entry == nobody)
      of.buried.fetch_or(bit_of_entry(of.latest.load(std::memory_order_relaxed)), std::memory_order_relaxed);
    if (entry == nobody || put_back(signal, entry)) return;
  }
}

bool is_buried(int signal, std::size_t entry) noexcept {
  if ((ledger_of(signal).buried.load(std::memory_order_relaxed) & bit_of_entry(entry)) == 0) return false;
  // Whoever was on it may have gone, and have put it back on top.
  struct ::sigaction now {};
  if (sys::sigaction(signal, nullptr, &now) < 0 || entry_of(now) != entry) return true;
  unearth(signal, entry);
  return false;
}

bool ours_is_on_top(int signal) noexcept {
  struct ::sigaction now {};
  return sys::sigaction(signal, nullptr, &now) >= 0 && entry_of(now) != nobody;
}

struct ::sigaction to_chain(int signal, std::size_t entry) noexcept {
  if (the_custody.found.load(std::memory_order_relaxed) != found_handler::chain) return {};
  return call_of(signal, entry);
}

struct ::sigaction below(int signal, std::size_t entry) noexcept {
  return call_of(signal, entry);
}

struct ::sigaction hand_back(int signal, std::size_t entry, const siginfo_t* info) noexcept {
  struct ::sigaction now {};
  if (ours_is_on_top(signal)) give_back(signal);
  if (info == nullptr || sys::sigaction(signal, nullptr, &now) < 0 ||
      !same_action(now, found_by(signal, entry)))
    return call_of(signal, entry);
  // Refused, it comes again without its siginfo.
  if (sys::requeue_to_self(signal, *info) < 0) sys::tgkill_self(signal);
  return {};
}

void raise_under_old_disposition(int signal, pid_t sender_pid, uid_t sender_uid) noexcept {
  struct ::sigaction now {};
  if (sys::sigaction(signal, nullptr, &now) < 0 || entry_of(now) != nobody) return;
  if (is_function(now) && the_custody.found.load(std::memory_order_relaxed) == found_handler::chain) return;
  siginfo_t info{};
  info.si_signo = signal;
  info.si_code = SI_USER;
  info.si_pid = sender_pid;
  info.si_uid = sender_uid;
  if (sys::requeue_to_self(signal, info) < 0) sys::tgkill_self(signal);
}

} // namespace lastcall::detail
