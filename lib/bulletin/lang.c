/* SPDX-License-Identifier: BSD-3-Clause */
#include "bulletin/lang.h"
#include "base/duration.h"
#include "bulletin/langs.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct message {
    const char *key, *text; /* in lang.octets */
};

struct sek_lang {
    const char *code;
    char *octets; /* the catalogue, cut into texts */
    struct message *all;
    size_t n;
};

/* --- life --------------------------------------------------------------------------------------
 */

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct message *)a)->key, ((const struct message *)b)->key);
}

/* Cut the copy into keys and texts. */
static enum sek_err read_lines(struct sek_lang *l, struct sek_diag *diag)
{
    size_t number = 0, room = 0;
    for (const char *p = l->octets; *p; p++)
        room += *p == '\n';
    l->all = calloc(room + 1, sizeof *l->all);
    if (!l->all)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    for (char *line = l->octets, *next; *line; line = next) {
        char *end = line + strcspn(line, "\n");
        next = *end ? end + 1 : end;
        *end = '\0';
        number++;
        if (!*line || *line == '#')
            continue;
        char *tab = strchr(line, '\t');
        if (!tab || tab == line || !tab[1] || strchr(tab + 1, '\t') || l->n == room)
            return sek_diag_set(diag, SEK_E_CORRUPT, "%s.tsv, line %zu: not \"key<TAB>text\"",
                                l->code, number);
        *tab = '\0';
        l->all[l->n++] = (struct message){line, tab + 1};
    }
    qsort(l->all, l->n, sizeof *l->all, by_key);
    for (size_t i = 1; i < l->n; i++)
        if (by_key(&l->all[i - 1], &l->all[i]) == 0)
            return sek_diag_set(diag, SEK_E_CORRUPT, "%s.tsv: %s stands there twice", l->code,
                                l->all[i].key);
    return SEK_OK;
}

enum sek_err sek_lang_open(const char *code, struct sek_lang **out, struct sek_diag *diag)
{
    int id = sek_lookup_id(sek_lang_names, code);
    if (id < 0)
        return sek_diag_set(diag, SEK_E_NOTFOUND, "no texts in language \"%.40s\"", code);
    struct sek_lang *l = calloc(1, sizeof *l);
    if (l)
        l->octets = malloc(sek__langs[id].len + 1);
    if (!l || !l->octets) {
        free(l);
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    }
    l->code = sek_lookup_name(sek_lang_names, id);
    memcpy(l->octets, sek__langs[id].octets, sek__langs[id].len);
    l->octets[sek__langs[id].len] = '\0';
    enum sek_err err = read_lines(l, diag);
    if (err) {
        sek_lang_close(l);
        return err;
    }
    *out = l;
    return SEK_OK;
}

void sek_lang_close(struct sek_lang *l)
{
    if (!l)
        return;
    free(l->all);
    free(l->octets);
    free(l);
}

const char *sek_lang_code(const struct sek_lang *l)
{
    return l->code;
}

const char *sek_lang_key(const struct sek_lang *l, size_t n)
{
    return n < l->n ? l->all[n].key : NULL;
}

const char *sek_lang_find(const struct sek_lang *l, const char *key)
{
    const struct message wanted = {.key = key};
    const struct message *m = bsearch(&wanted, l->all, l->n, sizeof wanted, by_key);
    return m ? m->text : NULL;
}

const char *sek_lang_text(const struct sek_lang *l, const char *key)
{
    const char *text = sek_lang_find(l, key);
    return text ? text : key;
}

/* --- sentences ---------------------------------------------------------------------------------
 */

static const char *said_of(const struct sek_said *said, size_t n, const char *name, size_t len)
{
    for (size_t i = 0; i < n; i++)
        if (strlen(said[i].name) == len && memcmp(said[i].name, name, len) == 0)
            return said[i].text;
    return NULL;
}

static void fill(struct sek_buf *b, const char *text, const struct sek_said *said, size_t n)
{
    while (*text) {
        size_t plain = strcspn(text, "{");
        sek_buf_add(b, text, plain);
        text += plain;
        if (!*text)
            return;
        size_t len = strcspn(text + 1, "}");
        const char *filled = text[1 + len] ? said_of(said, n, text + 1, len) : NULL;
        if (filled)
            sek_buf_add_text(b, filled);
        else
            sek_buf_add(b, text, len + 1 + (text[1 + len] != '\0'));
        text += len + 1 + (text[1 + len] != '\0');
    }
}

void sek_lang_fill(const struct sek_lang *l, struct sek_buf *b, const char *key,
                   const struct sek_said *said, size_t n)
{
    fill(b, sek_lang_text(l, key), said, n);
}

const char *sek_lang_form(const struct sek_lang *l, uint64_t n)
{
    const char *rule = sek_lang_text(l, "plural");
    if (strcmp(rule, "one") == 0)
        return n == 1 ? "one" : "other";
    if (strcmp(rule, "french") == 0)
        return n <= 1 ? "one" : "other";
    if (strcmp(rule, "slavic") == 0) {
        bool teen = n % 100 >= 11 && n % 100 <= 14;
        if (n % 10 == 1 && !teen)
            return "one";
        return n % 10 >= 2 && n % 10 <= 4 && !teen ? "few" : "other";
    }
    return "other";
}

void sek_lang_count(const struct sek_lang *l, struct sek_buf *b, const char *key, uint64_t n)
{
    char full[96], number[SEK_LANG_NUMBER_MAX];
    snprintf(full, sizeof full, "%s.%s", key, sek_lang_form(l, n));
    SEK_SAY(l, b, full, {"n", sek_lang_number(l, n, number)});
}

/* --- numbers and times -------------------------------------------------------------------------
 */

const char *sek_lang_number(const struct sek_lang *l, uint64_t n, char out[SEK_LANG_NUMBER_MAX])
{
    char digits[24];
    const char *group = sek_lang_text(l, "number.group");
    size_t used = 0, len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n);
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            used += (size_t)snprintf(out + used, SEK_LANG_NUMBER_MAX - used, "%.4s", group);
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

const char *sek_lang_percent(const struct sek_lang *l, double share, char out[SEK_LANG_NUMBER_MAX])
{
    double percent = share * 100;
    char number[32];
    const char *pattern = sek_lang_text(l, "number.percent");
    bool fine = percent > 0 && percent < 9.95;
    struct sek_buf b;
    snprintf(number, sizeof number, "%.*f", fine ? 1 : 0, percent > 1e12 ? 1e12 : percent);
    char *dot = strchr(number, '.');
    if (dot)
        *dot = *sek_lang_text(l, "number.decimal");
    sek_buf_init(&b, SEK_LANG_NUMBER_MAX - 1);
    fill(&b, pattern, &(struct sek_said){"n", number}, 1);
    snprintf(out, SEK_LANG_NUMBER_MAX, "%s", b.data ? b.data : number);
    sek_buf_fini(&b);
    return out;
}

/* "2026-11-20T10:00:00Z" has it all at fixed places. */
void sek_lang_time(const struct sek_lang *l, struct sek_buf *b, const char *pattern, int64_t unix_s)
{
    char iso[32], key[32], text[8][16];
    sek_time_to_text(unix_s, iso, sizeof iso);
    int64_t days = (unix_s - (unix_s % 86400 + 86400) % 86400) / 86400;
    int month = (iso[5] - '0') * 10 + iso[6] - '0', day = (iso[8] - '0') * 10 + iso[9] - '0';
    snprintf(text[0], sizeof text[0], "%.4s", iso);
    snprintf(text[1], sizeof text[1], "%d", month);
    snprintf(text[2], sizeof text[2], "%d", day);
    snprintf(text[3], sizeof text[3], "%.2s", iso + 11);
    snprintf(text[4], sizeof text[4], "%.2s", iso + 14);
    snprintf(text[5], sizeof text[5], "%.2s", iso + 5);
    snprintf(text[6], sizeof text[6], "%.2s", iso + 8);
    snprintf(key, sizeof key, "month.%d", month);
    const char *month_name = sek_lang_text(l, key);
    char weekday[32]; /* 1: Monday; 1970-01-01 was a Thursday */
    snprintf(weekday, sizeof weekday, "weekday.%d", (int)(((days + 3) % 7 + 7) % 7) + 1);
    SEK_SAY(l, b, pattern, {"year", text[0]}, {"month", text[1]}, {"day", text[2]},
            {"hour", text[3]}, {"minute", text[4]}, {"month2", text[5]}, {"day2", text[6]},
            {"month-name", month_name}, {"weekday", sek_lang_text(l, weekday)});
}
