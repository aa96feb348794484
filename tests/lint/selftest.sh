#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A lint that finds nothing might look at nothing: each finds the fault planted for it, and only that.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf -- "$root"' EXIT
failed=0

SPDX='/* SPDX-License-Identifier: BSD-3-Clause */'
BANNED='#include "base/banned.h"'

# plant FILE TEXT: the file in a fresh tree.
plant() {
    mkdir -p "$root/$(dirname "$1")"
    printf '%b' "$2" >"$root/$1"
}

# Empty tree but for what every source needs.
fresh() {
    rm -rf -- "${root:?}"/*
    plant lib/base/banned.h "$SPDX\n#pragma once\n"
    plant lib/base/err.h "$SPDX\n#pragma once\n"
    plant lib/store/report.h "$SPDX\n#pragma once\n"
}

# expect LABEL LINT WORDS: the lint says WORDS; without WORDS it finds nothing.
expect() {
    local out status=0
    out=$(LINT_ROOT=$root GIT_DIR=/nonexistent bash "$here/$2.sh" 2>&1) || status=$?
    if [ -n "$3" ] && { [ "$status" -ne 1 ] || [[ $out != *"$3"* ]]; }; then
        failed=1
        printf 'FAILED %s: wanted "%s", got (exit %d): %s\n' "$1" "$3" "$status" "$out"
    elif [ -z "$3" ] && [ "$status" -ne 0 ]; then
        failed=1
        printf 'FAILED %s: wanted nothing, got: %s\n' "$1" "$out"
    fi
}

good="$SPDX\n#include \"base/err.h\"\n#include <stdio.h>\n$BANNED\n"
for lint in layers sizes banned caller spdx docs; do
    fresh
    plant lib/base/good.c "$good"
    expect "good file, $lint" "$lint" ''
done

# label | lint | file | text | words
while IFS='|' read -r label lint file text words; do
    [ -n "$label" ] || continue
    fresh
    plant "$file" "$text"
    expect "$label" "$lint" "$words"
done <<TABLE
layer to the right|layers|lib/base/bad.c|$SPDX\n#include "store/report.h"\n|may not include "store/report.h"
no such header|layers|lib/base/bad.c|$SPDX\n#include "base/gone.h"\n|there is no lib/base/gone.h
foreign API|layers|lib/base/bad.c|$SPDX\n#include <sqlite3.h>\n|<sqlite3.h> may not be included
foreign type|layers|lib/policy/bad.h|$SPDX\n#pragma once\nint f(sqlite3 *db);\n|a foreign type
tools into module|layers|tools/bad.c|$SPDX\n#include "module/host.h"\n|is in no layer
bare name in lib|layers|lib/base/bad.c|$SPDX\n#include "err.h"\n|without its folder
path of the caller|caller|tools/bad.c|$SPDX\nint f(const char *p) { return open(p, 0); }\n|without tools/caller.h
long function|sizes|lib/base/bad.c|void f(void)\n{\n$(printf '    x();\\n%.0s' {1..81})}\n|function of 81 lines
longest allowed function|sizes|lib/base/ok.c|void f(void)\n{\n$(printf '    x();\\n%.0s' {1..80})}\n|
long file|sizes|lib/base/bad.c|$(printf '\\n%.0s' {1..601})|file of 601 lines
longest allowed file|sizes|lib/base/ok.c|$(printf '\\n%.0s' {1..600})|
banned.h not last|banned|lib/base/bad.c|$SPDX\n$BANNED\n#include <stdio.h>\n|the last include is not
SQL from pieces|banned|lib/store/bad.c|$SPDX\n$BANNED\nx = sqlite3_mprintf("%%s", name);\n|bound parameters
SQL by exec|banned|lib/store/bad.c|$SPDX\n$BANNED\nsqlite3_exec(db, text, 0, 0, 0);\n|no literal
shell|banned|tools/bad.c|$SPDX\n$BANNED\n    system (cmd);\n|no shell
library that prints|banned|lib/base/bad.c|$SPDX\n$BANNED\n    printf("x");\n|never prints
word in a text|banned|lib/store/ok.c|$SPDX\n$BANNED\n/* printf(x) */\nx = "printf(x)";\n|
no licence line|spdx|tools/bad.c|int x;\n|no "/*
no guard|spdx|lib/base/bad.h|$SPDX\nint x;\n|no #pragma once
script without licence|spdx|tools/setup/bad.sh|echo\n|no "SPDX
promise|docs|lib/base/bad.c|/* TODO: later */\n|file an issue
path of one machine|docs|tools/setup/bad.sh|cd /home/me/x\n|path of one machine
dead link|docs|README.md|see [this](lib/gone.md)\n|link to lib/gone.md
dead name|docs|README.md|see \`lib/base/gone.c\`\n|names lib/base/gone.c
no such macro|manpages|tools/bad.5|.Dd x\n.Dt BAD 5\n.Os\n.nosuch\n|nosuch
TABLE

[ "$failed" -eq 0 ] && printf 'the lints find what was planted\n'
exit "$failed"
