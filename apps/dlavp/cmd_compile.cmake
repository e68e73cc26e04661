target_sources(dlavp_app PRIVATE check_run.cpp calibration_options.cpp schedule_options.cpp write_file.cpp)
target_link_libraries(dlavp_app PRIVATE dlavp_compiler dlavp_host)
