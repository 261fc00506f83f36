// SPDX-License-Identifier: BSL-1.0
// Copyright the lastcall authors
#include "stacks/debug_info.hpp"

#include "stacks/inlined_calls.hpp"
#include "sys/calls.hpp"

#include <cstdlib>
#include <cstring>
#include <system_error>

#include <elfutils/libdwfl.h>

namespace lastcall::stacks {

namespace {

constexpr std::size_t most_places = 256;

// libdwfl's own search asks the network where the environment names a server (debuginfod). Then only what is
// found by build id on this machine counts.
int find_debug_file(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, const char* file,
                    const char* link, GElf_Word checksum, char** found) {
  const char* const servers = std::getenv("DEBUGINFOD_URLS");
  const auto find =
      servers != nullptr && *servers != '\0' ? &dwfl_build_id_find_debuginfo : &dwfl_standard_find_debuginfo;
  return find(module, data, name, base, file, link, checksum, found);
}

Dwarf_Addr meant_by(const place& where) noexcept { return where.address - (where.exact ? 0 : 1); }

std::string failure() {
  const char* const text = dwfl_errmsg(-1);
  return text == nullptr ? "for no stated reason" : text;
}

} // namespace

struct debug_info::reader {
  reader() {
    callbacks.find_elf = &dwfl_linux_proc_find_elf;
    callbacks.find_debuginfo = &find_debug_file;
    callbacks.debuginfo_path = nullptr;
    threads.next_thread = &next_thread;
    threads.get_thread = &find_thread;
    threads.memory_read = &read;
    threads.set_initial_registers = &set_registers;
  }
  ~reader() {
    if (dwfl != nullptr) dwfl_end(dwfl);
  }
  reader(const reader&) = delete;
  reader& operator=(const reader&) = delete;

  /// Why not; empty when it is open.
  std::string open() {
    dwfl = dwfl_begin(&callbacks);
    if (dwfl == nullptr) return failure();
    dwfl_report_begin(dwfl);
    const int reported = dwfl_linux_proc_report(dwfl, sys::getpid());
    if (reported > 0) // of the system, when it wanted to read which files are mapped
      return "/proc/self/maps: " + std::error_code{reported, std::generic_category()}.message();
    if (reported < 0 || dwfl_report_end(dwfl, nullptr, nullptr) != 0 ||
        !dwfl_attach_state(dwfl, nullptr, sys::getpid(), &threads, this))
      return failure();
    return {};
  }

  static pid_t next_thread(Dwfl*, void*, void**) { return 0; } // never all of them
  static bool find_thread(Dwfl*, pid_t, void* self, void** argument) {
    *argument = self;
    return true;
  }
  // The stack as it was; all else, such as what a loader has changed in a library, as it is.
  static bool read(Dwfl*, Dwarf_Addr address, Dwarf_Word* into, void* self) {
    const sys::thread_sample& sample = *static_cast<reader*>(self)->sample;
    if (address >= sample.stack_at && address - sample.stack_at + sizeof *into <= sample.stack_size) {
      std::memcpy(into, sample.stack + (address - sample.stack_at), sizeof *into);
      return true;
    }
    std::uint64_t word = 0;
    const bool there = sys::read_memory(address, word);
    *into = word;
    return there;
  }
  static bool set_registers(Dwfl_Thread* thread, void* self) {
    const sys::thread_sample& sample = *static_cast<reader*>(self)->sample;
    Dwarf_Word values[sys::thread_sample::most_registers];
    for (unsigned i = 0; i < sample.register_count; ++i) values[i] = sample.registers[i];
    dwfl_thread_state_register_pc(thread, sample.place);
    return dwfl_thread_state_registers(thread, 0, sample.register_count, values);
  }

  struct walk {
    std::vector<place>* places;
    bool cut_off = false;
  };
  static int at_frame(Dwfl_Frame* frame, void* argument) {
    walk& so_far = *static_cast<walk*>(argument);
    place next;
    Dwarf_Addr address = 0;
    if (!dwfl_frame_pc(frame, &address, &next.exact)) return DWARF_CB_ABORT;
    next.address = address;
    if (so_far.places->size() == most_places) {
      so_far.cut_off = true;
      return DWARF_CB_ABORT;
    }
    so_far.places->push_back(next);
    return DWARF_CB_OK;
  }

  Dwfl_Callbacks callbacks{};
  Dwfl_Thread_Callbacks threads{};
  Dwfl* dwfl = nullptr;
  const sys::thread_sample* sample = nullptr;
};

debug_info::debug_info() : reader_{std::make_unique<reader>()} {
  if (const std::string why = reader_->open(); !why.empty())
    missing_ = "libdwfl cannot look at this process: " + why;
}

debug_info::~debug_info() = default;

std::vector<place> debug_info::unwind(const sys::thread_sample& sample, std::string& missing) {
  std::vector<place> places;
  places.reserve(most_places); // no exception goes through libdwfl
  reader::walk so_far{&places};
  reader_->sample = &sample;
  const int result = dwfl_getthread_frames(reader_->dwfl, sample.thread, &reader::at_frame, &so_far);
  if (so_far.cut_off)
    missing = "only the innermost " + std::to_string(most_places) + " are shown";
  else if (result != 0)
    missing = "the stack could not be followed further: " + failure();
  if (places.empty()) places.push_back({sample.place, true});
  return places;
}

void debug_info::name(const place& where, std::vector<stack_frame>& to) {
  const std::uint64_t key = where.address * 2 + (where.exact ? 1 : 0); // of user space: the top bit is free
  auto known = known_.find(key);
  if (known == known_.end()) known = known_.emplace(key, calls_at(where)).first;
  to.insert(to.end(), known->second.begin(), known->second.end());
}

stack_frame debug_info::locate(const place& where) const {
  stack_frame frame;
  frame.address = where.address;
  Dwfl_Module* const module = dwfl_addrmodule(reader_->dwfl, meant_by(where));
  if (module == nullptr) return frame;
  Dwarf_Addr start = 0;
  const char* const file =
      dwfl_module_info(module, nullptr, &start, nullptr, nullptr, nullptr, nullptr, nullptr);
  frame.module = file == nullptr ? "" : file;
  frame.offset = where.address - start;
  return frame;
}

std::vector<stack_frame> debug_info::calls_at(const place& where) const {
  std::vector<stack_frame> calls;
  Dwfl_Module* const module = dwfl_addrmodule(reader_->dwfl, meant_by(where));
  if (module == nullptr)
    calls.push_back(locate(where));
  else
    add_calls(module, meant_by(where), locate(where), calls);
  return calls;
}

} // namespace lastcall::stacks
