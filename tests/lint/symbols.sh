#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# symbols.sh MODULE: Unbound loads with RTLD_GLOBAL, so every exported symbol of ours
# could replace one of Unbound's. The module exports exactly the six that the loader looks up.
. "$(dirname "$0")/lint.sh"

module=${1:-}
if [ ! -e "$module" ]; then skip "the module is not built"; fi
wanted="clear deinit get_mem inform_super init operate"
# Defined, dynamic; a sanitizer's own symbols are the instrumentation's, not ours.
found=$(nm -D --defined-only "$module" | awk '{ print $3 }' | sed 's/@.*//' |
    grep -vE '^(__asan_|__ubsan_|__odr_asan|__tsan_|__sanitizer_|_init$|_fini$)' | sort -u |
    tr '\n' ' ' | sed 's/ $//')
[ "$found" = "$wanted" ] || finding "$module: exports \"$found\", wanted \"$wanted\""
# Nothing of the standard streams or of process exit: a module must not print or end the resolver.
findings < <(nm -D --undefined-only "$module" | awk '{ print $2 }' | sed 's/@.*//' |
    grep -xE 'exit|_exit|abort|printf|puts|putchar|atexit' | sed "s|^|$module: uses |" || true)
lint_done "symbols of the module"
