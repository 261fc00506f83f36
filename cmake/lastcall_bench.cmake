# SPDX-License-Identifier: BSL-1.0
#
# lastcall_bench(<name> SOURCES <cpp>... [LIBS <target>...] [NEEDS <target>...])
#
# One benchmark: the executable bench_<name>, which prints its rows as a JSON array (see
# bench/comparison.hpp). NEEDS names programs that it starts. Target benchmarks builds all of them, `./dev bench <name>`
# runs one.
add_custom_target(benchmarks)

function(lastcall_bench name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS;NEEDS")
  add_executable(bench_${name} ${arg_SOURCES})
  target_link_libraries(bench_${name} PRIVATE lastcall_bench_comparison ${arg_LIBS})
  add_dependencies(benchmarks bench_${name})
  if(arg_NEEDS)
    add_dependencies(bench_${name} ${arg_NEEDS})
  endif()
endfunction()
