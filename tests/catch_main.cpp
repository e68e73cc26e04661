// Entry point of every test executable.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

// SystemC's library expects sc_main in a program that links it; tests elaborate in their cases.
extern "C" int sc_main(int, char**) { return 0; }

int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
