#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The scripts are clean for shellcheck.
. "$(dirname "$0")/lint.sh"

command -v shellcheck >/dev/null || skip "no shellcheck"
mapfile -t scripts < <(files '*.sh' 'tools/quickstart' 'tests/run' '.ci/run')
findings < <(shellcheck -x -P SCRIPTDIR -f gcc "${scripts[@]}" || true)
lint_done "shellcheck"
