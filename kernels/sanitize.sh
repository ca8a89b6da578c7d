#!/usr/bin/env bash
# Runs the tests of the kernels under the address and undefined-behaviour sanitizers, on every instruction set of this
# machine. Needs GCC or Clang with their sanitizer libraries.
set -euo pipefail
cd "$(dirname "$0")/.."

compiler=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
CXX=$compiler CMAKE_ARGS="-DWENDING_SANITIZE=ON" "$work/venv/bin/pip" install -q . pytest pytest-asyncio pytest-timeout hypothesis safetensors

# The interpreter is not built with the sanitizers, so their library has to be there before it.
library="$("$compiler" -print-file-name=libasan.so) $("$compiler" -print-file-name=libstdc++.so)"
# Nothing is captured (-s): a report that ends the process would be lost with it.
LD_PRELOAD=$library ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
  "$work/venv/bin/python" -m pytest -q -s --timeout 1200 tests/kernels "$@"
