#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Manual pages written by hand: roff without a warning. Those printed from tables are in tests/cli.
. "$(dirname "$0")/lint.sh"

command -v groff >/dev/null || skip "groff is not installed"

for page in $(files 'tools/*.[1-8]'); do
    findings < <(groff -man -mdoc -Tutf8 -Kutf8 -ww -z "$page" 2>&1)
done

lint_done "manual pages"
