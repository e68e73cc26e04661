# One interface target for SystemC: Debian's library is built as C++17, so its
# API version symbol does not match a C++20 build and the check is switched off.
find_path(SYSTEMC_INCLUDE_DIR systemc REQUIRED)
find_library(SYSTEMC_LIBRARY systemc REQUIRED)
find_package(Threads REQUIRED)
add_library(dlavp_systemc INTERFACE)
target_link_libraries(dlavp_systemc INTERFACE ${SYSTEMC_LIBRARY} Threads::Threads)
target_include_directories(dlavp_systemc SYSTEM INTERFACE ${SYSTEMC_INCLUDE_DIR})
target_compile_definitions(dlavp_systemc INTERFACE SC_DISABLE_API_VERSION_CHECK SC_INCLUDE_DYNAMIC_PROCESSES)
