target_sources(dlavp_app PRIVATE compare.cpp in_child.cpp)
target_link_libraries(dlavp_app PRIVATE dlavp_compiler dlavp_host)
