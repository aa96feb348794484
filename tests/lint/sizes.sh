#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A file has at most 600 lines, a function at most 80: what is longer holds more than one thought.
# Counted from the opening brace in column one to the closing one, as .clang-format places them. A
# test's function may be longer: its table of cases stands in it.
. "$(dirname "$0")/lint.sh"

findings < <(files 'lib/*.[ch]' 'module/*.[ch]' 'tools/*.[ch]' 'tests/*.[ch]' '*.sh' '*.py' \
    'tools/quickstart' 'tests/run' | xargs -r awk '
    FNR == 1 && NR > 1 { check_file() }
    FNR == 1 { file = FILENAME; start = 0 }
    { lines = FNR }
    file ~ /\.[ch]$/ && file !~ /^tests\// && /^\{/ { start = FNR }
    file ~ /\.[ch]$/ && /^\}/ && start {
        if (FNR - start - 1 > 80)
            printf "%s:%d: function of %d lines (at most 80)\n", file, start, FNR - start - 1
        start = 0
    }
    function check_file() {
        if (lines > 600) printf "%s:%d: file of %d lines (at most 600)\n", file, lines, lines
    }
    END { if (file != "") check_file() }')
lint_done "sizes"
