#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Promises and places that do not belong into the tree, and links that lead nowhere.
. "$(dirname "$0")/lint.sh"

mapfile -t all < <(files '*' |
    grep -vE '^(LICENSE|tests/data/.*|tests/fuzz/corpus/.*|tests/lint/(docs|selftest)\.sh)$')
[ "${#all[@]}" -gt 0 ] || lint_done "nothing"
findings < <(grep -nHIE '\b(TODO|FIXME|XXX|HACK|TBD)\b' "${all[@]}" |
    sed 's|$|   <- do it or file an issue|' || true)
findings < <(grep -nHIE '(^|[^A-Za-z0-9._/-])/(work|home|root|Users)/' "${all[@]}" |
    sed 's|$|   <- path of one machine|' || true)

# [text](target) and `path` of the Markdown files.
for file in $(files '*.md'); do
    while read -r target; do
        path=${target%%#*}
        case $path in '' | http:* | https:* | mailto:*) continue ;; esac
        [ -e "$(dirname "$file")/$path" ] || finding "$file: link to $target, which is not there"
    done < <(grep -oE '\]\([^) ]+\)' "$file" | sed 's/^](//; s/)$//')
    while read -r path; do
        [ -e "$path" ] || [ -e "$(dirname "$file")/$path" ] || [ -e "lib/$path" ] ||
            finding "$file: names $path, which is not there"
    done < <(tr '`' '\n' <"$file" | grep -xE '(lib|module|tools|tests|policy)/[A-Za-z0-9_./-]+\.(c|h|sh|md|yaml|list)')
done
lint_done "documents"
