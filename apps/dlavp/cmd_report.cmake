target_sources(dlavp_app PRIVATE report_html.cpp svg.cpp)
