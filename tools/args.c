/* SPDX-License-Identifier: BSD-3-Clause */
#include "args.h"
#include "base/duration.h"
#include "base/utf8.h"
#include "zone.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define WORD_MAX 32 /* longer words get no suggestion */

/* Edit distance with swapped neighbours as one step ("--sicne"), over short words only. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned d[WORD_MAX + 1][WORD_MAX + 1];
    for (unsigned i = 0; i <= a_len; i++)
        d[i][0] = i;
    for (unsigned j = 0; j <= b_len; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= a_len; i++)
        for (size_t j = 1; j <= b_len; j++) {
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[a_len][b_len];
}

void sek_nearest_offer(struct sek_nearest *n, const char *candidate)
{
    size_t w = strlen(n->word), c = strlen(candidate);
    if (w < 2 || w > WORD_MAX || c > WORD_MAX)
        return;
    unsigned d = distance(n->word, w, candidate, c);
    /* What was typed may also be the beginning of the candidate. */
    if (w >= 3 && strncmp(candidate, n->word, w) == 0)
        d = 1;
    if (d > 1 + c / 4 || (n->best && d >= n->distance))
        return;
    n->best = candidate;
    n->distance = d;
}

unsigned sek_args_count(const struct sek_arg *rows)
{
    unsigned n = 0;
    while (rows && rows[n].name)
        n++;
    return n;
}

struct found {
    const struct sek_arg *row;
    struct sek_arg_value *value;
};

/* The first set that has the name counts. */
static bool find_long(const struct sek_arg_set *sets, unsigned n_sets, const char *name, size_t len,
                      struct found *out)
{
    for (unsigned s = 0; s < n_sets; s++)
        for (unsigned i = 0; i < sek_args_count(sets[s].rows); i++) {
            const struct sek_arg *row = &sets[s].rows[i];
            if (strlen(row->name) == len && memcmp(row->name, name, len) == 0) {
                *out = (struct found){row, &sets[s].values[i]};
                return true;
            }
        }
    return false;
}

static bool find_short(const struct sek_arg_set *sets, unsigned n_sets, char letter,
                       struct found *out)
{
    for (unsigned s = 0; s < n_sets; s++)
        for (unsigned i = 0; i < sek_args_count(sets[s].rows); i++)
            if (sets[s].rows[i].letter == letter) {
                *out = (struct found){&sets[s].rows[i], &sets[s].values[i]};
                return true;
            }
    return false;
}

static enum sek_err unknown_long(const struct sek_arg_set *sets, unsigned n_sets, const char *name,
                                 size_t len, struct sek_diag *diag)
{
    char word[WORD_MAX + 1];
    struct sek_nearest near = {.word = word};
    if (len <= WORD_MAX) {
        memcpy(word, name, len);
        word[len] = '\0';
        for (unsigned s = 0; s < n_sets; s++)
            for (unsigned i = 0; i < sek_args_count(sets[s].rows); i++)
                sek_nearest_offer(&near, sets[s].rows[i].name);
    }
    int shown = len > 200 ? 200 : (int)len;
    if (near.best)
        return sek_diag_set(diag, SEK_E_INVALID, "unknown option --%.*s; did you mean --%s?", shown,
                            name, near.best);
    return sek_diag_set(diag, SEK_E_INVALID, "unknown option --%.*s", shown, name);
}

static enum sek_err take_number(const struct sek_arg *row, const char *text, int64_t *out,
                                struct sek_diag *diag)
{
    int64_t min = row->min, max = row->min == 0 && row->max == 0 ? INT64_MAX : row->max;
    char *end = NULL;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    /* strtoll also takes leading blanks and "+"; a number here is written plainly. */
    bool plain = (*text >= '0' && *text <= '9') || (*text == '-' && text[1] != '\0');
    if (!plain || *end != '\0')
        return sek_diag_set(diag, SEK_E_INVALID, "--%s: \"%.100s\" is not a whole number",
                            row->name, text);
    if (errno == ERANGE || n < min || n > max)
        return sek_diag_set(diag, SEK_E_INVALID, "--%s: %.100s is outside %lld to %lld", row->name,
                            text, (long long)min, (long long)max);
    *out = n;
    return SEK_OK;
}

static enum sek_err take_choice(const struct sek_arg *row, const char *text, int64_t *out,
                                struct sek_diag *diag)
{
    int id = sek_lookup_id(row->choices, text);
    if (id >= 0) {
        *out = id;
        return SEK_OK;
    }
    char words[200] = "";
    size_t used = 0;
    for (const struct sek_lookup *c = row->choices; c->name; c++) {
        size_t n = strlen(c->name);
        if (used + n + 3 > sizeof words)
            break;
        if (used) {
            memcpy(words + used, ", ", 2);
            used += 2;
        }
        memcpy(words + used, c->name, n + 1);
        used += n;
    }
    return sek_diag_set(diag, SEK_E_INVALID, "--%s: \"%.100s\" is none of: %s", row->name, text,
                        words);
}

static enum sek_err take_time(const char *text, int64_t now_s, int64_t *out_s,
                              struct sek_diag *diag)
{
    const struct sek_zone *zone;
    enum sek_err e = sek_zone_read(&zone, diag);
    return e ? e : sek_when_from_text(text, now_s, zone, out_s, diag);
}

static enum sek_err add_text(const struct found *f, const char *text, struct sek_diag *diag)
{
    struct sek_arg_value *v = f->value;
    if (v->number == SEK_ARG_REPEATS)
        return sek_diag_set(diag, SEK_E_INVALID, "--%s: at most %d of them", f->row->name,
                            SEK_ARG_REPEATS);
    v->given = true;
    v->text = v->texts[v->number++] = text;
    return SEK_OK;
}

static enum sek_err take_value(const struct found *f, const char *text, int64_t now_s,
                               struct sek_diag *diag)
{
    int64_t n = 0;
    enum sek_err e = SEK_OK;
    switch (f->row->kind) {
    case SEK_ARG_FLAG:
        n = 1;
        break;
    case SEK_ARG_TEXT: /* a reason, a title: one of blanks only says nothing */
        if (f->row->value && strcmp(f->row->value, "TEXT") == 0 &&
            sek_utf8_is_blank(text, strlen(text)))
            text = "";
        break;
    case SEK_ARG_TEXTS:
        return add_text(f, text, diag);
    case SEK_ARG_NUMBER:
        e = take_number(f->row, text, &n, diag);
        break;
    case SEK_ARG_CHOICE:
        e = take_choice(f->row, text, &n, diag);
        break;
    case SEK_ARG_DURATION:
        e = sek_duration_from_text(text, &n, diag);
        break;
    case SEK_ARG_TIME:
        e = take_time(text, now_s, &n, diag);
        break;
    }
    if (e) {
        if (f->row->kind == SEK_ARG_DURATION || f->row->kind == SEK_ARG_TIME)
            sek_diag_wrap(diag, "--%s", f->row->name);
        return SEK_E_INVALID;
    }
    *f->value = (struct sek_arg_value){.given = true, .text = text, .number = n};
    return SEK_OK;
}

struct walk {
    char **argv;
    int argc, at;
    const struct sek_arg_set *sets;
    unsigned n_sets;
    int64_t now_s;
};

/* The value of an option: the rest of its own word, or the next one. */
static enum sek_err value_of(struct walk *w, const struct found *f, const char *rest,
                             const char *shown, struct sek_diag *diag)
{
    if (rest)
        return take_value(f, rest, w->now_s, diag);
    if (w->at >= w->argc)
        return sek_diag_set(diag, SEK_E_INVALID, "%.100s needs a value: %s", shown,
                            f->row->value ? f->row->value : "VALUE");
    return take_value(f, w->argv[w->at++], w->now_s, diag);
}

static enum sek_err long_option(struct walk *w, const char *word, struct sek_diag *diag)
{
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    struct found f;
    if (!find_long(w->sets, w->n_sets, name, len, &f))
        return unknown_long(w->sets, w->n_sets, name, len, diag);
    if (f.row->kind != SEK_ARG_FLAG)
        return value_of(w, &f, equals ? equals + 1 : NULL, word, diag);
    if (equals)
        return sek_diag_set(diag, SEK_E_INVALID, "--%s takes no value", f.row->name);
    return take_value(&f, NULL, w->now_s, diag);
}

static enum sek_err short_options(struct walk *w, const char *word, struct sek_diag *diag)
{
    for (const char *p = word + 1; *p; p++) {
        struct found f;
        if (!find_short(w->sets, w->n_sets, *p, &f))
            return sek_diag_set(diag, SEK_E_INVALID, "unknown option -%c (in %.100s)%s", *p, word,
                                strchr(word, '.') ? "; -- goes before a name that begins with -"
                                                  : "");
        if (f.row->kind != SEK_ARG_FLAG)
            return value_of(w, &f, p[1] ? p + 1 : NULL, word, diag);
        enum sek_err e = take_value(&f, NULL, w->now_s, diag);
        if (e)
            return e;
    }
    return SEK_OK;
}

enum sek_err sek_args_parse(char **argv, int argc, const struct sek_arg_set *sets, unsigned n_sets,
                            int64_t now_s, bool stop_at_word, int *out_n, struct sek_diag *diag)
{
    struct walk w = {argv, argc, 0, sets, n_sets, now_s};
    int n_words = 0;
    bool options = true;
    while (w.at < argc) {
        char *word = argv[w.at];
        bool is_option = options && word[0] == '-' && word[1] != '\0';
        if (!is_option && stop_at_word)
            break;
        w.at++;
        if (!is_option) {
            argv[n_words++] = word; /* n_words < w.at: nothing unread is overwritten */
            continue;
        }
        if (strcmp(word, "--") == 0) {
            options = false;
            if (stop_at_word)
                break;
            continue;
        }
        enum sek_err e =
            word[1] == '-' ? long_option(&w, word, diag) : short_options(&w, word, diag);
        if (e)
            return e;
    }
    *out_n = stop_at_word ? w.at : n_words;
    return SEK_OK;
}

int sek_args_row(const struct sek_arg *rows, const char *name)
{
    for (int i = 0; rows[i].name; i++)
        if (strcmp(rows[i].name, name) == 0)
            return i;
    return -1;
}
