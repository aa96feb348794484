/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/querylog_parts.h"
#include "name/qtype.h"
#include "name/raw.h"
#include "name/text.h"
#include "observe/logtime.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_word sek__line_next_word(const char **p, const char *between)
{
    *p += strspn(*p, between);
    struct sek_word w = {*p, strcspn(*p, between)};
    *p += w.len;
    return w;
}

bool sek__line_is_text(const struct sek_word *w, const char *text)
{
    return w->len == strlen(text) && memcmp(w->at, text, w->len) == 0;
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

int sek__line_set_name(const struct sek_word *w, struct sek_query_seen *out, struct sek_diag *diag)
{
    if (w->len == 0 || sek__line_is_text(w, "-"))
        return 0;
    enum sek_err err = sek_name_from_text(w->at, w->len, &out->seen.domain, diag);
    return err ? (int)err : 1;
}

static bool has_high(const struct sek_word *w)
{
    for (size_t i = 0; i < w->len; i++)
        if ((uint8_t)w->at[i] >= 0x80)
            return true;
    return false;
}

/* A name that was asked for can be anything ("My Printer._ipp._tcp.local"), and logs write odd
 * octets in their own ways. One whose top domain has such is likelier a line misread: passed over.
 */
int sek__line_set_query(const struct sek_word *w, struct sek_query_seen *out, struct sek_diag *diag)
{
    struct sek_name *name = &out->seen.domain;

    if (w->len == 0 || sek__line_is_text(w, "-"))
        return 0;
    if (has_high(w) && sek_name_from_text(w->at, w->len, name, NULL) == SEK_OK)
        return 1;
    if (!sek_name_from_raw(w->at, w->len, SEK_RAW_DECIMAL, name))
        return sek__line_set_name(w, out, diag); /* says what is wrong */
    const uint8_t *top = name->n_labels ? name->octets + name->offset[name->n_labels - 1] : NULL;
    for (unsigned i = 1; top && i <= *top; i++)
        if (!is_plain(top[i]))
            return 0;
    return 1;
}

/* "192.0.2.1", "192.0.2.1#53", "192.0.2.1/53", "192.0.2.1@53" */
bool sek__line_set_endpoint(const struct sek_word *w, struct sek_query_seen *out)
{
    char text[SEK_ADDR_TEXT_MAX];
    size_t len = 0;

    while (len < w->len && !strchr("#/@", w->at[len]))
        len++;
    if (len >= sizeof text)
        return false;
    memcpy(text, w->at, len);
    text[len] = '\0';
    if (sek_addr_from_text(text, &out->seen.addrs[0], NULL))
        return false;
    out->seen.n_addrs = out->seen.endpoints = 1;
    return true;
}

void sek__line_set_exists(const struct sek_word *rcode, struct sek_query_seen *out)
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};

    if (rcode->len == 0 || sek__line_is_text(rcode, "-"))
        return;
    out->rcode = 2;
    for (int i = 0; i < 6; i++)
        if (sek__line_is_text(rcode, names[i]) || (rcode->len == 1 && rcode->at[0] == '0' + i))
            out->rcode = i;
    out->says_exists = out->rcode == 0 || out->rcode == 3;
    out->seen.resolved = out->rcode != 3;
}

/* "A", "TYPE65", "type=65" (dnsmasq), "65" */
void sek__line_set_type(const struct sek_word *w, struct sek_query_seen *out)
{
    char text[24];
    const char *number = w->at;

    if (w->len == 0 || w->len >= sizeof text)
        return;
    if (w->at[0] < '0' || w->at[0] > '9') {
        memcpy(text, w->at, w->len);
        text[w->len] = '\0';
        int known = sek_qtype_from_text(text);
        if (known >= 0)
            out->qtype = (uint16_t)known;
        number = strncmp(text, "type=", 5) == 0 ? w->at + 5 : "";
    }
    unsigned long n = strtoul(number, NULL, 10);
    if (n > 0 && n <= UINT16_MAX)
        out->qtype = (uint16_t)n;
}

void sek__line_set_time(struct sek_query_seen *out, int64_t time_ms)
{
    out->time_ms = time_ms;
    out->seen.first_s = out->seen.last_s =
        time_ms >= 0 ? time_ms / 1000 : -((999 - time_ms) / 1000);
}

/* One of the values of an answer: an address, or data of another type. */
void sek__line_add_answer(const struct sek_word *w, struct sek_query_seen *out)
{
    char text[SEK_ADDR_TEXT_MAX];
    bool perhaps =
        w->len > 1 && w->len < sizeof text && strspn(w->at, "0123456789abcdefABCDEF.:") >= w->len;

    if (perhaps) {
        struct sek_addr addr;
        memcpy(text, w->at, w->len);
        text[w->len] = '\0';
        if (sek_addr_from_text(text, &addr, NULL) == SEK_OK) {
            if (out->n_answers < SEK_QUERYLOG_ADDRS)
                out->answers[out->n_answers++] = addr;
            return;
        }
    }
    if (w->len > 0 && !sek__line_is_text(w, "-"))
        out->answer_octets = (uint16_t)(w->len < UINT16_MAX - (size_t)out->answer_octets
                                            ? out->answer_octets + w->len
                                            : UINT16_MAX);
}

void sek__line_add_ttl(const char *at, struct sek_query_seen *out)
{
    if (*at < '0' || *at > '9')
        return;
    unsigned long ttl_s = strtoul(at, NULL, 10);
    if (ttl_s <= INT32_MAX && (out->ttl_s == 0 || ttl_s < out->ttl_s))
        out->ttl_s = (uint32_t)ttl_s;
}

/* The time that a line begins with, in brackets or not. */
bool sek__line_begin_time(const struct sek_querylog *log, const char *line,
                          struct sek_query_seen *out)
{
    const char *p = line + (*line == '[');
    int64_t time_ms;

    if (!sek_logtime_take_ms(&p, log->now_s, &time_ms))
        return false;
    sek__line_set_time(out, time_ms);
    return true;
}

int sek__line_no_time(struct sek_diag *diag)
{
    return (int)sek_diag_set(diag, SEK_E_INVALID, "does not begin with a time");
}
