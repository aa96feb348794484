#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Every source says its licence at its top, in one line; every header guards itself.
. "$(dirname "$0")/lint.sh"

TAG='SPDX-License-Identifier: BSD-3-Clause'
for file in $(files '*.c' '*.h'); do
    head -n 1 "$file" | grep -qF "/* $TAG */" || finding "$file:1: no \"/* $TAG */\""
done
for file in $(files '*.sh' '*.py' 'tools/quickstart' 'tests/run' '.ci/run'); do
    head -n 3 "$file" | grep -qF "$TAG" || finding "$file:1: no \"$TAG\""
done
for file in $(files '*.h'); do
    grep -qx '#pragma once' "$file" || finding "$file:1: no #pragma once"
done
lint_done "licence lines"
