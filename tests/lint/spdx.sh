#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Every source says its licence at its top, in one line; every header guards itself.
. "$(dirname "$0")/lint.sh"

TAG='SPDX-License-Identifier: BSD-3-Clause'
# top LINES TEXT: those of the files on standard input whose first lines lack the text. One process
# for all files: there are hundreds.
top() {
    # shellcheck disable=SC2016
    xargs -r awk -v lines="$1" -v text="$2" '
        function tell() { if (!found) print file ":1: no \"" text "\"" }
        FNR == 1 { if (NR > 1) tell(); file = FILENAME; found = 0 }
        FNR <= lines && index($0, text) { found = 1 }
        END { if (NR > 0) tell() }'
}
findings < <(files '*.c' '*.h' | top 1 "/* $TAG */")
findings < <(files '*.sh' '*.py' 'tools/quickstart' 'tests/run' '.ci/run' | top 3 "$TAG")
findings < <(files '*.h' | xargs -r grep -Lx '#pragma once' | sed 's|$|:1: no #pragma once|' || true)
lint_done "licence lines"
