#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# C is laid out by .clang-format, as clang-format 14 (Debian 12) reads it; other versions differ in
# details, so there it does not judge. Headers are laid out by hand, for reading.
. "$(dirname "$0")/lint.sh"

tool=
for name in clang-format-14 clang-format; do
    if command -v "$name" >/dev/null && "$name" --version | grep -q ' 14\.'; then
        tool=$name
        break
    fi
done
[ -n "$tool" ] || skip "no clang-format 14"
findings < <(files 'lib/*.c' 'module/*.c' 'tools/*.c' 'tests/*.c' |
    xargs -r "$tool" --dry-run --ferror-limit=1 2>&1 | grep -E 'warning:|error:' || true)
lint_done "format: run clang-format -i"
