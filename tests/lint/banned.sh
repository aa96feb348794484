#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Calls that have a safer way of ours, beyond what base/banned.h can poison.
. "$(dirname "$0")/lint.sh"

# base/banned.h stands last among the includes, or it would poison the headers after it.
# shellcheck disable=SC2016
findings < <(files 'lib/*.c' 'tools/*.c' | xargs -r awk '
    function tell() {
        if (last !~ /"base\/banned\.h"/)
            print file ":" at ": the last include is not \"base/banned.h\""
    }
    FNR == 1 { if (NR > 1) tell(); file = FILENAME; last = ""; at = "" }
    /^[[:space:]]*#[[:space:]]*include/ { last = $0; at = FNR }
    END { if (NR > 0) tell() }')

# code PATTERN: the lines of the files on standard input that match outside of texts and comments. One
# process for all files: there are hundreds, and several patterns.
code() {
    # shellcheck disable=SC2016
    xargs -r awk '{
        line = $0
        gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
        sub(/\/\*.*/, "", line)
        sub(/^[[:space:]]*\*.*/, "", line)
        print FILENAME ":" FNR ":" line
    }' | grep -E "$1" || true
}

# pattern<TAB>why
while IFS=$'\t' read -r pattern why; do
    [ -n "$pattern" ] || continue
    findings < <(files 'lib/*.[ch]' 'module/*.[ch]' 'tools/*.[ch]' |
        grep -v '^lib/base/banned\.h$' | code "$pattern" |
        grep -vE '^lib/policy/timezone\.c:.*setenv' | # the C library takes its zone from nowhere else
        sed "s|\$|   <- $why|")
done <<'TABLE'
\bsqlite3_v?s?n?mprintf *\(	SQL is text of ours with bound parameters (FACTS of SQL injection)
\bsqlite3_get_table *\(	use a prepared statement
\bsystem *\(|\bpopen *\(	no shell
\b(tmpnam|mktemp|tempnam) *\(	races: base/file.h writes files
\b(gets|alloca) *\(	no bound
\bsetenv *\(|\bputenv *\(	the environment is read by entry points only
TABLE

# sqlite3_exec runs constant text only: the argument is a literal or a constant table's text in sql.c.
findings < <(files 'lib/*.c' 'tools/*.c' 'module/*.c' | grep -v '^lib/store/sql\.c$' |
    xargs -r grep -nHE '\bsqlite3_exec *\([^,]+,[[:space:]]*[^"[:space:]]' |
    sed 's|$|   <- sqlite3_exec with text that is no literal|' || true)

# The library neither prints nor ends the process.
findings < <(files 'lib/*.c' | code '\b(printf|puts|perror|exit|_exit|abort) *\(' |
    sed 's|$|   <- lib/ never prints, never exits|')

# What people read goes through the veil (tools/print/veil.h), which hides endpoints. These print what
# is not about endpoints, is veiled already (report), or is asked for in the clear (reveal).
findings < <(files 'tools/*.c' |
    grep -vE '^tools/(print|manual|train)/|^tools/(main|help|export/generated)\.c$' |
    grep -vE '^tools/commands/cmd_(completion|config|list|list_export|metrics|nod_export|privacy|report)\.c$' |
    code '\b(printf|puts|putchar|vprintf) *\(|\b(fputs|fwrite|fprintf|putc|fputc) *\(.*stdout' |
    sed 's|$|   <- reports by out.h, lines by sek_print: both hide endpoints|')
lint_done "banned calls"
