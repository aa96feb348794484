# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Compiling this checkout. Needs common.sh.

# compile DIR COMPILER TARGETS OPTION...: configure and build $root (the checkout) in DIR. TARGETS: words,
# "all" for everything.
compile() {
    local dir=$1 compiler=$2
    local -a targets
    read -r -a targets <<<"$3"
    shift 3
    # A folder of another checkout (or of one that was moved) is of no use.
    # shellcheck disable=SC2154
    if ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$dir/CMakeCache.txt" 2>/dev/null; then
        rm -rf -- "$dir"
    fi
    cmake -S "$root" -B "$dir" -DCMAKE_C_COMPILER="$compiler" "$@" &&
        cmake --build "$dir" -j"$(n_jobs)" --target "${targets[@]}"
}
