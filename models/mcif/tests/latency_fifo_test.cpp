// Depths derived from a configuration against the values measured on the RTL.
#include "models/mcif/latency_fifo.hpp"

#include <catch2/catch.hpp>

using namespace dlavp;
using mcif::ReadClient;

namespace {

uint32_t depth(const char* config, ReadClient client) {
  const Result<HwConfig> hw = load_hw_config(config);
  REQUIRE(hw.ok());
  return mcif::latency_fifo_depth(*hw, client);
}

}  // namespace

TEST_CASE("latency FIFO: depths of the published configurations are those of the RTL") {
  REQUIRE(depth("nv_small", ReadClient::kSdp) == 8);
  REQUIRE(depth("nv_small", ReadClient::kPdp) == 8);
  REQUIRE(depth("nv_small", ReadClient::kCdp) == 8);
  REQUIRE(depth("nv_small", ReadClient::kSdpB) == 16);
  REQUIRE(depth("nv_small_256", ReadClient::kSdpN) == 16);
  REQUIRE(depth("nv_small_256_full", ReadClient::kSdp) == 16);
  REQUIRE(depth("nv_small_256_full", ReadClient::kSdpE) == 16);
  REQUIRE(depth("nv_medium_512", ReadClient::kSdp) == 64);
  REQUIRE(depth("nv_medium_512", ReadClient::kPdp) == 32);
  REQUIRE(depth("nv_medium_1024_full", ReadClient::kSdp) == 256);
  REQUIRE(depth("nv_medium_1024_full", ReadClient::kCdp) == 128);
  REQUIRE(depth("nv_large", ReadClient::kPdp) == 256);
}

TEST_CASE("latency FIFO: CDMA has no credits at the interface, copy engines have fixed ones") {
  REQUIRE(depth("nv_small", ReadClient::kCdmaDat) == 0);
  REQUIRE(depth("nv_large", ReadClient::kCdmaWt) == 0);
  REQUIRE(depth("nv_large", ReadClient::kBdma) == 245);
  REQUIRE(depth("nv_large", ReadClient::kRubik) == 80);
}
