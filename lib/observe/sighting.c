/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/sighting.h"
#include "base/duration.h"
#include "name/raw.h"
#include "name/text.h"
#include "observe/logtime.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define FIELDS 6
#define ENDPOINTS_MAX 123 /* what the store's estimate ends at */

/* One field, not terminated. */
struct field {
    const char *at;
    size_t len;
};

static unsigned split(const char *line, struct field *out)
{
    unsigned n = 0;

    for (const char *p = line; n < FIELDS; p++) {
        size_t len = strcspn(p, "\t");
        out[n++] = (struct field){p, len};
        p += len;
        if (!*p)
            break;
    }
    return n;
}

static bool read_time(const struct field *f, int64_t *out_s)
{
    const char *p = f->at;

    return sek_logtime_take(&p, 0, out_s) && p == f->at + f->len;
}

static bool is_word(const struct field *f, const char *word)
{
    return f->len == strlen(word) && memcmp(f->at, word, f->len) == 0;
}

/* Addresses that are none, and more than there is room for, are left out. */
static void read_addrs(const struct field *f, struct sek_sighting *out)
{
    char text[SEK_ADDR_TEXT_MAX];

    for (size_t at = 0; at < f->len && out->n_addrs < SEK_SIGHTING_ADDRS;) {
        size_t len = strcspn(f->at + at, ",\t");
        if (len < sizeof text) {
            memcpy(text, f->at + at, len);
            text[len] = '\0';
            out->n_addrs += !sek_addr_from_text(text, &out->addrs[out->n_addrs], NULL);
        }
        at += len + 1;
    }
    if (out->endpoints < out->n_addrs)
        out->endpoints = out->n_addrs;
}

/* What nobody could register has been asked for all the same: "xn--" before something else. */
static bool is_asked(const struct field *f, struct sek_name *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    return strspn(f->at, plain) >= f->len && sek_name_from_raw(f->at, f->len, SEK_RAW_DECIMAL, out);
}

enum sek_err sek_sighting_from_text(const char *line, struct sek_sighting *out,
                                    struct sek_diag *diag)
{
    struct field f[FIELDS];
    unsigned n = split(line, f);
    char *end;

    if (n < 5)
        return sek_diag_set(diag, SEK_E_INVALID, "has %u fields, not 5", n);
    enum sek_err err = sek_name_from_text(f[0].at, f[0].len, &out->domain, diag);
    if (err && !is_asked(&f[0], &out->domain))
        return err;
    if (!read_time(&f[1], &out->first_s) || !read_time(&f[2], &out->last_s) ||
        out->last_s < out->first_s)
        return sek_diag_set(diag, SEK_E_INVALID, "has no first and last time");
    unsigned long endpoints = strtoul(f[3].at, &end, 10);
    if (end != f[3].at + f[3].len || f[3].len == 0)
        return sek_diag_set(diag, SEK_E_INVALID, "has no number of endpoints");
    out->endpoints = endpoints < ENDPOINTS_MAX ? (unsigned)endpoints : ENDPOINTS_MAX;
    out->resolved = is_word(&f[4], "yes");
    if (!out->resolved && !is_word(&f[4], "no"))
        return sek_diag_set(diag, SEK_E_INVALID, "says neither yes nor no to resolved");
    out->n_addrs = 0;
    if (n > 5)
        read_addrs(&f[5], out);
    return SEK_OK;
}

void sek_sighting_add_text(const struct sek_sighting *s, struct sek_buf *out)
{
    char name[SEK_NAME_TEXT_MAX], first[24], last[24], addr[SEK_ADDR_TEXT_MAX];

    sek_name_to_text(s->domain.octets, name);
    sek_buf_add_fmt(
        out, "%s\t%s\t%s\t%u\t%s", name, sek_time_to_text(s->first_s, first, sizeof first),
        sek_time_to_text(s->last_s, last, sizeof last), s->endpoints, s->resolved ? "yes" : "no");
    for (unsigned i = 0; i < s->n_addrs; i++)
        sek_buf_add_fmt(out, "%c%s", i ? ',' : '\t', sek_addr_to_text(&s->addrs[i], addr));
    sek_buf_add_text(out, "\n");
}

static struct sek_addr nobody(unsigned i)
{
    return (struct sek_addr){.octets = {0x01, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}};
}

bool sek_sighting_note(struct sek_domains *d, const struct sek_sighting *s)
{
    const uint8_t *name = s->domain.octets;
    enum sek_domains_news news = sek_domains_note(
        d, name, s->domain.len, s->n_addrs ? &s->addrs[0] : NULL, s->first_s, s->resolved, NULL);

    if (news == SEK_DOMAINS_OVERFLOW)
        return false;
    for (unsigned i = 0; i < s->endpoints; i++) {
        struct sek_addr addr = i < s->n_addrs ? s->addrs[i] : nobody(i - s->n_addrs + 1);
        sek_domains_note(d, name, s->domain.len, &addr, s->last_s, s->resolved, NULL);
    }
    if (s->endpoints == 0)
        sek_domains_note(d, name, s->domain.len, NULL, s->last_s, s->resolved, NULL);
    return true;
}
