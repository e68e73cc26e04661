# Compile settings shared by every target: warnings, sanitizers, ccache.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # The compiler's own list of headers says what a result depends on: no second run of the preprocessor.
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_DEPEND=1 ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
endif()

add_library(dlavp_warnings INTERFACE)
target_compile_options(dlavp_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wcast-align -Wimplicit-fallthrough
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # false alarms of GCC 12 on string concatenation (PR105651)
  $<$<BOOL:${DLAVP_WARNINGS_AS_ERRORS}>:-Werror>)

if(DLAVP_SANITIZE)
  add_compile_options(-fsanitize=${DLAVP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DLAVP_SANITIZE})
endif()

# dlavp_library(NAME SOURCES... [DEPS...]): a static library rooted at the project's source folder.
function(dlavp_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE dlavp_warnings ${ARG_PRIVATE_DEPS})
endfunction()
