/* SPDX-License-Identifier: BSD-3-Clause */
/* Message catalogues: what reports say in each language. policy/lang/CODE.tsv is compiled in: a
 * further language is one more such file. A line is "key<TAB>text"; # begins a comment. Texts have
 * places "{name}". Keys that depend on a number end in the form: ".one", ".few", ".other"; which
 * there are, the language's key "plural" says: "none" (.other alone), "one" (.one for 1), "french"
 * (.one for 0 and 1), "slavic" (.one, .few, .other as in Russian; CLDR, plural rules). A catalogue
 * is read-only once it is open; any thread. */
#pragma once
#include "base/buf.h"
#include "base/lookup.h"

struct sek_lang;

/* The codes: "en", "ja" …; id: its place. Ends with NULL. */
extern const struct sek_lookup sek_lang_names[];

/* NOTFOUND: no such language. CORRUPT: a line that makes no sense, with its number. Caller:
 * sek_lang_close. */
enum sek_err sek_lang_open(const char *code, struct sek_lang **out, struct sek_diag *diag);
void sek_lang_close(struct sek_lang *l);
const char *sek_lang_code(const struct sek_lang *l);
/* The n-th key, in order of the alphabet; NULL behind the last. */
const char *sek_lang_key(const struct sek_lang *l, size_t n);

/* The text, or the key itself when there is none. Borrowed. */
const char *sek_lang_text(const struct sek_lang *l, const char *key);
/* NULL when there is none. */
const char *sek_lang_find(const struct sek_lang *l, const char *key);

/* What stands in the places of a text. */
struct sek_said {
    const char *name, *text;
};
/* Append the text with its places filled; n of them. A place that nothing is said for stays. */
void sek_lang_fill(const struct sek_lang *l, struct sek_buf *b, const char *key,
                   const struct sek_said *said, size_t n);
#define SEK_SAY(l, b, key, ...)                                                                    \
    sek_lang_fill(l, b, key, (const struct sek_said[]){__VA_ARGS__},                               \
                  sizeof((const struct sek_said[]){__VA_ARGS__}) / sizeof(struct sek_said))
/* The text of key and the form for n, whose place is {n}: "1,284 hits". */
void sek_lang_count(const struct sek_lang *l, struct sek_buf *b, const char *key, uint64_t n);
/* The form for n: "one", "few", "other". */
const char *sek_lang_form(const struct sek_lang *l, uint64_t n);

/* Numbers and times as people write them. */
#define SEK_LANG_NUMBER_MAX 64
const char *sek_lang_number(const struct sek_lang *l, uint64_t n, char out[SEK_LANG_NUMBER_MAX]);
/* Of a share: 0.123 → "12%"; less than 10 % with one decimal. */
const char *sek_lang_percent(const struct sek_lang *l, double share, char out[SEK_LANG_NUMBER_MAX]);
/* Append a time (UTC, Unix seconds) by a pattern of the catalogue: "date", "time", "day", "hour" …
 */
void sek_lang_time(const struct sek_lang *l, struct sek_buf *b, const char *pattern,
                   int64_t unix_s);
