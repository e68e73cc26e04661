target_sources(dlavp_app PRIVATE inspect_text.cpp inspect_graph.cpp inspect_svg.cpp)
target_link_libraries(dlavp_app PRIVATE dlavp_loadable)
