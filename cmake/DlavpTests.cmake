# dlavp_test(NAME LABEL label SOURCES ... DEPS ...): a Catch2 executable whose cases are
# CTest tests of their own (SystemC can be elaborated only once a process).
if(BUILD_TESTING)
  find_package(Catch2 2 REQUIRED)
  include(Catch)
  add_library(dlavp_catch_main STATIC ${CMAKE_SOURCE_DIR}/tests/catch_main.cpp)
  target_link_libraries(dlavp_catch_main PUBLIC Catch2::Catch2)
  set(DLAVP_NVDLA_DATA_DEFAULT ${CMAKE_SOURCE_DIR}/../shared/nvdla)
endif()

function(dlavp_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} dlavp_catch_main dlavp_warnings)
  target_compile_definitions(${name} PRIVATE
    DLAVP_SOURCE_DIR="${CMAKE_SOURCE_DIR}" DLAVP_BINARY_DIR="${CMAKE_BINARY_DIR}"
    DLAVP_NVDLA_DATA_DEFAULT="${DLAVP_NVDLA_DATA_DEFAULT}")
  catch_discover_tests(${name} TEST_PREFIX "${name}: "
    PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT} SKIP_REGULAR_EXPRESSION "skipped: no (data|qemu)")
endfunction()
