# SPDX-License-Identifier: BSL-1.0
#
# The whole as one: lastcall::lastcall is all modules that lastcall_module() made. Installed, it is the
# package: `find_package(lastcall)` gives the same target names as inside this tree.
get_property(modules GLOBAL PROPERTY LASTCALL_MODULES)
list(TRANSFORM modules PREPEND lastcall::)
add_library(lastcall_all INTERFACE)
add_library(lastcall::lastcall ALIAS lastcall_all)
set_target_properties(lastcall_all PROPERTIES EXPORT_NAME lastcall)
target_link_libraries(lastcall_all INTERFACE ${modules})

if(LASTCALL_INSTALL)
  include(CMakePackageConfigHelpers)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/lastcall)
  configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/lastcallConfig.cmake.in
                                ${PROJECT_BINARY_DIR}/lastcallConfig.cmake
                                INSTALL_DESTINATION ${package_dir})
  # Before 1.0 a minor version may break what came before it.
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/lastcallConfigVersion.cmake
                                   COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/lastcallConfig.cmake ${PROJECT_BINARY_DIR}/lastcallConfigVersion.cmake
          DESTINATION ${package_dir})
  install(TARGETS lastcall_all EXPORT lastcall)
  install(EXPORT lastcall NAMESPACE lastcall:: FILE lastcallTargets.cmake DESTINATION ${package_dir})
endif()
