target_sources(dlavp_app PRIVATE validation.cpp network_validation.cpp)
target_link_libraries(dlavp_app PRIVATE dlavp_trace dlavp_serial)
