# Shared by scripts/demo, scripts/check and scripts/fuzz: package installation and small helpers.
# Sourced, not run. Works as root or with sudo, from any directory.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

build_packages=(
  g++ cmake ninja-build ccache pkg-config python3 python3-yaml
  libsystemc-dev libyaml-cpp-dev libfmt-dev nlohmann-json3-dev
  libboost-dev libboost-program-options-dev libonnx-dev libprotobuf-dev protobuf-compiler
  libflatbuffers-dev flatbuffers-compiler libhwy-dev libjemalloc-dev libpng-dev libstb-dev
  gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf
)
# What tools/zoo needs to write a network.
network_packages=(python3-numpy python3-onnx)
test_packages=("${network_packages[@]}" catch2 zlib1g-dev qemu-system-misc libbenchmark-dev)
full_packages=(python3-torch python3-torchvision)
fuzz_packages=(clang-14 libclang-rt-14-dev llvm-14)

say() { printf '\n== %s\n' "$*"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Installs what is missing; asks the package manager nothing if all is there.
install_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "Installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Configures and builds a preset: build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  say "Building (preset $preset)"
  cmake --preset "$preset" -S "$root" >/dev/null
  cmake --build "$root/build/$preset" -j "$jobs" ${1:+--target "$@"}
}
