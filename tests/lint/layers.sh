#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The one-way rule of lib/README.md: who may include whom, and where a foreign API may be used.
. "$(dirname "$0")/lint.sh"

# A folder of lib/ includes itself and those to its left.
ORDER="base name transfer conf policy classify observe verdict event watch store bulletin runtime replay"

# THE table of foreign headers: pattern of the header, pattern of the files that may include it.
FOREIGN='
idn2.h            lib/name/text.c
libpsl.h          lib/name/suffix.c
yaml.h            lib/conf/*.c
zlib.h            lib/policy/reader.c
zlib.h            lib/store/packed.c
zlib.h            tools/input/textlines.c
zlib.h            lib/replay/stream.c
zlib.h            tests/*
pcap/*            lib/replay/pcapfile.c
fstrm.h           lib/replay/tapfile.c
dnstap.pb-c.h     lib/replay/tapfile.c
zlib.h            tools/train/data.c
immintrin.h       lib/classify/stage2_avx*.c
arm_neon.h        lib/classify/stage2_neon.c
hs/*              lib/policy/patterns.c
hs/*              lib/policy/patterns_write.c
ldns/*            lib/policy/rpz.c
ldns/*            lib/policy/records.c
ldns/*            lib/transfer/*.c
sqlite3.h         lib/store/*
openssl/*         lib/*.c
openssl/*         tests/*
cmocka.h          tests/*
sqlite3.h         tests/*
gnu/libc-version.h tests/*
'
# What the C library and the kernel bring.
LIBC='^(assert|complex|ctype|dirent|dlfcn|elf|endian|err|errno|fcntl|fenv|fnmatch|ftw|getopt|glob|grp|inttypes|libgen|limits|link|locale|malloc|math|netdb|poll|pthread|pwd|regex|sched|search|semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios|threads|time|ucontext|uchar|unistd|wchar|wctype|(sys|net|netinet|arpa|linux|asm)/[a-z0-9_/-]+)\.h$'

# Place of each layer in ORDER. No process is started for an include: there are thousands.
declare -A place=()
n_layers=0
for layer in $ORDER; do
    place[$layer]=$n_layers
    n_layers=$((n_layers + 1))
done

# Ours: "folder/file.h" of lib/, or a file beside the one that includes it.
check_own() {
    local file=$1 line=$2 header=$3 from to top
    top=${file%%/*}
    from=${file#*/}
    case $header in
    */*)
        to=${place[${header%%/*}]:-}
        if [ -z "$to" ]; then
            # Not a layer: Unbound's own headers (module/ only), or another folder of the same part.
            if [ "$top" = module ] && [ ! -e "lib/$header" ]; then return 0; fi
            if [ "$top" = tests ] && [ -e "$header" ]; then return 0; fi
            if [ "$top" = "${header%%/*}" ] && [ -e "$header" ]; then return 0; fi
            finding "$file:$line: \"$header\" is in no layer of lib/"
        elif [ ! -e "lib/$header" ]; then
            finding "$file:$line: there is no lib/$header"
        elif [ "$top" = lib ]; then
            [ "$to" -le "${place[${from%%/*}]:--1}" ] ||
                finding "$file:$line: ${file%/*} may not include \"$header\""
        fi
        ;;
    *)
        case $top in
        lib) finding "$file:$line: \"$header\" without its folder" ;;
        *) is_beside "$file" "$header" || finding "$file:$line: \"$header\" is not beside the file" ;;
        esac
        ;;
    esac
}

# There, written by the build, or Unbound's for the module.
is_beside() {
    local dir=${1%/*}
    [ -e "$dir/$2" ] || [ "$1 $2" = "module/${1##*/} config.h" ] ||
        grep -qF "$2" "$dir/CMakeLists.txt" 2>/dev/null
}

# In <>: the C library's, or a row of the table.
check_foreign() {
    local file=$1 line=$2 header=$3 pattern where
    [[ $header =~ $LIBC ]] && return 0
    while read -r pattern where; do
        [ -n "$pattern" ] || continue
        # shellcheck disable=SC2053
        if [[ $header == $pattern && $file == $where ]]; then return 0; fi
    done <<<"$FOREIGN"
    finding "$file:$line: <$header> may not be included here (see the table in tests/lint/layers.sh)"
}

while IFS=: read -r file line text; do
    header=${text#*[\"<]}
    header=${header%%[\">]*}
    case $text in
    *\"*) check_own "$file" "$line" "$header" ;;
    *) check_foreign "$file" "$line" "$header" ;;
    esac
done < <(files '*.c' '*.h' | xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include')

# A header that only its own folder includes.
is_inner() {
    ! files 'lib/*.[ch]' 'module/*.[ch]' 'tools/*.[ch]' | grep -v "^$(dirname "$1")/" |
        xargs -r grep -qF "\"${1#lib/}\""
}

# No type of a foreign API in a header for others: it would bind everybody who includes that.
while IFS=: read -r file line text; do
    if [ "${file%/*}" = lib/store ] && is_inner "$file"; then continue; fi
    finding "$file:$line: a foreign type in a header: $text"
done < <(files 'lib/*.h' 'tools/*.h' | xargs -r grep -nHE \
    '\b(sqlite3(_stmt)?|ldns_[a-z_]+|psl_ctx_t|yaml_[a-z_]+_t|gzFile|EVP_[A-Z_]+)\b *\*?[a-z_]*[;,)(]' ||
    true)

lint_done "include edges of lib/README.md"
