target_sources(dlavp_app PRIVATE run_report.cpp run_rows.cpp picture.cpp)
target_link_libraries(dlavp_app PRIVATE dlavp_host dlavp_serial)
