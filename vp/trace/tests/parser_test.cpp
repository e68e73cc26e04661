// The two trace forms: what is read, and every kind of error with its place.
#include <catch2/catch.hpp>

#include "models/common/tests/temp_file.hpp"
#include "vp/trace/data_file.hpp"
#include "vp/trace/rtl_table.hpp"
#include "vp/trace/runner.hpp"
#include "vp/trace/trace.hpp"

using namespace dlavp;
using namespace dlavp::trace;

namespace {

Result<Trace> cfg(const std::string& text, const char* config = "nv_small") {
  const test::TempDir dir;
  dir.write("t/t.cfg", text);
  dir.write("t/d.dat", "{\n{offset:0x4, size:2, payload:0x01 0xff} ,\n}\n");
  dir.write("t/bad.dat", "{\n{offset:0x4, size:3, payload:0x01 0xff} ,\n{offset:4 size:1}\n}\n");
  return load_trace(dir.path() / "t", *load_hw_config(config));
}

Result<Trace> txn(const std::string& text, const char* config = "nv_full") {
  const test::TempDir dir;
  dir.write("t/input.txn", text);
  dir.write("t/d.dat", "Data_size = 0x4\n0x01 0x02 0x03 0x04\n");
  return load_trace(dir.path() / "t", *load_hw_config(config));
}

void refused(const Result<Trace>& trace, const std::string& id, const std::string& place) {
  INFO(id << " " << place);
  REQUIRE_FALSE(trace);
  INFO(trace.errors().text());
  CHECK(trace.errors().has(id));
  CHECK(trace.errors().text().find(place) != std::string::npos);
}

}  // namespace

TEST_CASE("trace parser: commands of the .cfg form become actions with places") {
  const auto t =
      cfg("// a comment\n"
          "mem_init(pri_mem, 0x80000000, 0x40, ALL_ZERO);\n"
          "mem_load(1,0x80000000,\"d.dat\"); // MC\n"
          "reg_write(NVDLA_SDP.D_OP_ENABLE_0, 0x1);\n"
          "reg_write(NVDLA_CSC.D_DATAIN_SIZE_EXT_1_0, 0xbf);\n"
          "poll_reg_equal(NVDLA_CDMA.S_CBUF_FLUSH_STATUS_0,0x1);\n"
          "poll_field_not_less(NVDLA_GLB, NVDLA_GLB.S_INTR_STATUS_0, PDP_DONE_STATUS0, 1);\n"
          "intr_notify(CDMA_WT_1, sync_id_0);\n"
          "check_crc(sync_id_0, 1, 0x80000000, 0x40, 0x1234);\n");
  INFO((t ? "" : t.errors().text()));
  REQUIRE(t);
  REQUIRE(t->commands.size() == 8);
  const auto& load = std::get<MemLoad>(t->commands[1].action);
  CHECK(load.packets[0].offset == 4);
  CHECK(load.packets[0].bytes == std::vector<uint8_t>{1, 0xff});
  CHECK(std::get<RegWrite>(t->commands[2].action).op_enable);
  CHECK(std::get<RegWrite>(t->commands[3].action).address == 0x4000 + 0x18);
  const auto& poll = std::get<RegCheck>(t->commands[5].action);
  CHECK(poll.shift == 4);
  CHECK(poll.condition == Condition::kNotLess);
  CHECK(std::get<IntrNotify>(t->commands[6].action).status_bit == 19);
  CHECK(t->commands[7].place.find("t.cfg:9") != std::string::npos);
}

TEST_CASE("trace parser: every kind of error in a .cfg has its id and its line") {
  refused(cfg("\nreg_write(NVDLA_SDP.D_NOTHING_0, 0);\n"), "trace.register", "t.cfg:2");
  refused(cfg("reg_write(NVDLA_CVIF.NOTHING, 0);\n"), "trace.register", "t.cfg:1");
  refused(cfg("reg_write(NVDLA_SDP.S_POINTER_0, 0x100000000);\n"), "trace.number", "t.cfg:1");
  refused(cfg("reg_write(NVDLA_SDP.S_POINTER_0, zero);\n"), "trace.number", "'zero'");
  refused(cfg("reg_write(NVDLA_SDP.S_POINTER_0);\n"), "trace.arguments", "expected 2");
  refused(cfg("reg_write NVDLA_SDP.S_POINTER_0;\n"), "trace.syntax", "t.cfg:1");
  refused(cfg("launch(1);\n"), "trace.command", "'launch'");
  refused(cfg("poll_reg_about(NVDLA_SDP.S_POINTER_0, 1);\n"), "trace.command", "poll_reg_about");
  refused(cfg("poll_field_equal(NVDLA_GLB.S_INTR_STATUS_0, COLOUR, 1);\n"), "trace.register",
          "'COLOUR'");
  refused(cfg("mem_init(pri_mem, 0, 0x10, RANDOM);\n"), "trace.pattern", "'RANDOM'");
  refused(cfg("mem_init(sec_mem, 0, 0x10, ALL_ZERO);\n"), "trace.memory",
          "nv_small has no secondary memory");
  refused(cfg("mem_init(disk, 0, 0x10, ALL_ZERO);\n"), "trace.memory", "'disk'");
  refused(cfg("mem_init(1, 0xfffffffffffffff0, 0x20, ALL_ZERO);\n"), "trace.range", "t.cfg:1");
  refused(cfg("mem_load(1, 0, \"none.dat\");\n"), "trace.file", "'none.dat'");
  refused(cfg("mem_load(1, 0, d.dat);\n"), "trace.file", "quotes");
  refused(cfg("mem_load(1, 0, \"bad.dat\");\n"), "trace.packet",
          "bad.dat:2: payload has 2 bytes, size says 3");
  refused(cfg("mem_load(1, 0, \"bad.dat\");\n"), "trace.packet", "bad.dat:3");
  refused(cfg("intr_notify(SDP, a);\n"), "trace.interrupt", "'SDP'");
  refused(cfg("check_nothing(a);\n"), "trace.sync", "'a' is awaited");
  refused(cfg("sync_wait(NVDLA_SDP, b);\n"), "trace.sync", "'b' is awaited");
  refused(cfg("// nothing\n"), "trace.empty", "t.cfg");
}

TEST_CASE("trace parser: all errors of a file are listed") {
  const auto t = cfg("launch(1);\nlaunch(2);\nreg_write(NVDLA_X.Y_0, 1);\n");
  REQUIRE_FALSE(t);
  CHECK(t.errors().errors().size() == 3);
}

TEST_CASE("trace parser: the older form") {
  const auto t =
      txn("# load_mem(addr, offset, file)\n"
          "load_mem 0x80000000 0x4 d.dat\n"
          "write_reg 0xffff1404 0x1 #NVDLA_CDMA.D_OP_ENABLE_0\n"
          "read_reg 0xffff0003 0xffffffff 0x0\n"
          "wait\n"
          "dump_mem 0x50000000 0x4 d.dat\n");
  INFO((t ? "" : t.errors().text()));
  REQUIRE(t);
  REQUIRE(t->commands.size() == 5);
  CHECK(std::get<RegWrite>(t->commands[1].action).address == 0x5010);
  CHECK(std::get<RegWrite>(t->commands[1].action).op_enable);
  CHECK(std::get<RegCheck>(t->commands[2].action).name == "GLB.S_INTR_STATUS");
  CHECK(std::get<CheckBytes>(t->commands[4].action).ram == RamType::kCv);
  refused(txn("write_reg 0xffff1404\n"), "trace.arguments", "input.txn:1");
  refused(txn("write_reg 0x1404 1\n"), "trace.register", "input.txn:1");
  refused(txn("jump 0\n"), "trace.command", "'jump'");
  refused(txn("write_reg 0xffff1404 one\n"), "trace.number", "'one'");
  refused(txn("load_mem 0xfffffffffffffff0 0x20 d.dat\n"), "trace.range", "input.txn:1");
  refused(txn("load_mem 0 8 d.dat\n"), "trace.dump", "has 4 bytes, expected 8");
  refused(txn("load_mem 0 4 e.dat\n"), "trace.file", "e.dat");
  refused(txn("load_mem 0x50000000 4 d.dat\n", "nv_small"), "trace.memory", "no secondary memory");
}

TEST_CASE("trace set: a folder's name picks the configuration") {
  const test::TempDir dir;
  for (const char* name : {"set/nv_small/a/a.cfg", "set/nv_small/b/input.txn",
                           "set/nv_large/c/c.cfg", "set/other/x.dat"})
    dir.write(name, "");
  const auto set = dir.path() / "set";
  auto jobs = find_jobs({set}, "", {32, 128});
  REQUIRE(jobs);
  REQUIRE(jobs->size() == 6);
  CHECK(jobs.value()[0].config == "nv_large");
  CHECK(jobs.value()[2].dir.filename() == "a");
  CHECK(jobs.value()[3].mem_latency == 128);
  CHECK(find_jobs({set}, "nv_small", {32})->size() == 2);
  CHECK(find_jobs({set / "nv_small/a"}, "", {32}).value()[0].config == "nv_small");
  CHECK(find_jobs({set / "nv_small/"}, "nv_large", {32}).value()[0].config == "nv_large");
  CHECK(find_jobs({dir.path() / "nothing"}, "", {32}).errors().has("trace.dir"));
  CHECK(find_jobs({set / "other"}, "", {32}).errors().has("trace.dir"));
  dir.write("unnamed/y/y.cfg", "");
  CHECK(find_jobs({dir.path() / "unnamed"}, "", {32}).errors().has("trace.config"));
}

TEST_CASE("rtl cycles: the table is read by its columns, broken rows are refused") {
  const test::TempDir dir;
  const std::string head = "config,trace,mem_latency,run_cycles,read_beats,write_beats,open_span\n";
  const auto table = load_rtl_cycles(dir.write("a.csv", head + "nv_small,t,32,100,7,8,1\n"));
  REQUIRE(table);
  CHECK(table->at({"nv_small", "t", 32}).cycles == 100);
  CHECK(table->at({"nv_small", "t", 32}).write_beats == 8);
  CHECK(
      load_rtl_cycles(dir.write("b.csv", head + "nv_small,t,32\n")).errors().has("rtl_cycles.row"));
  CHECK(load_rtl_cycles(dir.write("c.csv", head + "nv_small,t,x,1,2,3,4\n"))
            .errors()
            .has("rtl_cycles.number"));
  CHECK(load_rtl_cycles(dir.write("d.csv", "config,trace\n")).errors().has("rtl_cycles.column"));
  CHECK(load_rtl_cycles(dir.path() / "none.csv").errors().has("rtl_cycles.file"));
}

TEST_CASE("rtl networks: loadables lie beside the table, broken rows are refused") {
  const test::TempDir dir;
  const std::string head =
      "network,loadable,config,mem_latency,schedule,operations,macs,sum_run_cycles,total_cycles,"
      "read_beats,write_beats\n";
  const auto networks =
      load_rtl_networks(dir.write("a.csv", head + "n,l/n.nvdla,nv_small,32,serial,6,9,5,7,3,2\n"));
  REQUIRE(networks);
  REQUIRE(networks->size() == 1);
  CHECK(networks->front().loadable == dir.path() / "l/n.nvdla");
  CHECK(networks->front().run_cycles == 5);
  CHECK(networks->front().write_beats == 2);
  const auto errors = [&](const std::string& text) {
    return load_rtl_networks(dir.write("b.csv", text)).errors();
  };
  CHECK(errors(head + "n,l\n").has("rtl_networks.row"));
  CHECK(errors(head + "n,l,nv_small,x,serial,6,9,5,7,3,2\n").has("rtl_networks.number"));
  CHECK(errors("network\n").has("rtl_networks.column"));
  CHECK(load_rtl_networks(dir.path() / "none.csv").errors().has("rtl_networks.file"));
}
