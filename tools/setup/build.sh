# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Compiling this checkout. Needs common.sh.

# compile DIR COMPILER OPTION...: configure and build $root (the checkout) in DIR.
compile() {
    local dir=$1 compiler=$2
    shift 2
    # A folder of another checkout (or of one that was moved) is of no use.
    # shellcheck disable=SC2154
    if ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$dir/CMakeCache.txt" 2>/dev/null; then
        rm -rf -- "$dir"
    fi
    cmake -S "$root" -B "$dir" -DCMAKE_C_COMPILER="$compiler" "$@" &&
        cmake --build "$dir" -j"$(n_jobs)"
}
