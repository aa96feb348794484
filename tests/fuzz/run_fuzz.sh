#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Run one fuzz target for some seconds: run_fuzz.sh PROGRAM CORPUS SECONDS
# The corpus is only read: what the fuzzer finds goes to a temporary folder.
set -eu
program=$1 corpus=$2 seconds=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if [ -d "$corpus" ]; then
    cp "$corpus"/* "$work"/
fi
"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$program-" "$work"
