/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables with a head line that names their columns, tab-separated, as `tshark -T fields -E
 * header=y` writes them: a packet a row. Queries and responses are paired like packets; where
 * neither id nor ports are told, by addresses, name and type. Without a column that tells responses
 * each row is a query. */
#include "observe/logtime.h"
#include "name/qtype.h"
#include "name/raw.h"
#include "replay/source_parts.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define COLUMNS 64 /* those behind are not looked at */

enum column {
    OTHER,
    TIME,
    SRC,
    DST,
    SRC_PORT,
    DST_PORT,
    ID,
    QNAME,
    QTYPE,
    RCODE,
    RESPONSE,
    N_ANSWERS,
    ADDR,
    TTL,
    DATA,
    FRAME_LEN,
    N_KINDS
};

/* THE table of columns: our short names, then tshark's. */
static const struct sek_lookup columns[] = {
    {TIME, "ts"},
    {TIME, "frame.time_epoch"},
    {SRC, "src"},
    {SRC, "ip.src"},
    {SRC, "ipv6.src"},
    {DST, "dst"},
    {DST, "ip.dst"},
    {DST, "ipv6.dst"},
    {SRC_PORT, "sport"},
    {SRC_PORT, "udp.srcport"},
    {SRC_PORT, "tcp.srcport"},
    {DST_PORT, "dport"},
    {DST_PORT, "udp.dstport"},
    {DST_PORT, "tcp.dstport"},
    {ID, "id"},
    {ID, "dns.id"},
    {QNAME, "qname"},
    {QNAME, "dns.qry.name"},
    {QTYPE, "qtype"},
    {QTYPE, "dns.qry.type"},
    {RCODE, "rcode"},
    {RCODE, "dns.flags.rcode"},
    {RESPONSE, "is_response"},
    {RESPONSE, "dns.flags.response"},
    {N_ANSWERS, "ancount"},
    {N_ANSWERS, "dns.count.answers"},
    {ADDR, "a"},
    {ADDR, "aaaa"},
    {ADDR, "dns.a"},
    {ADDR, "dns.aaaa"},
    {TTL, "ttl"},
    {TTL, "dns.resp.ttl"},
    {DATA, "cname"},
    {DATA, "dns.cname"},
    {DATA, "dns.txt"},
    {DATA, "dns.null"},
    {FRAME_LEN, "framelen"},
    {FRAME_LEN, "frame.len"},
    {0, NULL},
};

struct table {
    uint8_t column[COLUMNS];
    bool has[N_KINDS];
};

/* A value, terminated in the line; several with commas between. Empty: "". */
struct row {
    const char *value[N_KINDS];
    const char *more_addrs; /* of a second column of addresses */
    const char *more_data;
};

static enum column column_of(const char *text, size_t len)
{
    for (const struct sek_lookup *l = columns; l->name; l++)
        if (strlen(l->name) == len && memcmp(l->name, text, len) == 0)
            return (enum column)l->id;
    return OTHER;
}

/* head: up to its newline. False: it is none. */
static bool read_head(const char *head, size_t len, struct table *out)
{
    size_t at = 0;

    memset(out, 0, sizeof *out);
    if (len > 0 && head[len - 1] == '\r')
        len--;
    for (int i = 0; i < COLUMNS && at <= len; i++) {
        const char *tab = memchr(head + at, '\t', len - at);
        size_t end = tab ? (size_t)(tab - head) : len;
        out->column[i] = (uint8_t)column_of(head + at, end - at);
        out->has[out->column[i]] = true;
        at = end + 1;
    }
    return out->has[TIME] && out->has[QNAME];
}

static bool is_table(const uint8_t *begin, size_t size)
{
    const uint8_t *newline = size ? memchr(begin, '\n', size) : NULL;
    struct table t;

    return size > 0 &&
           read_head((const char *)begin, newline ? (size_t)(newline - begin) : size, &t);
}

static enum sek_err open_table(struct sek_source *s, struct sek_diag *diag)
{
    struct table *t = s->reader = malloc(sizeof *t);
    char *line;

    if (!t)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: no memory to read it", sek_stream_label(s->in));
    int got = sek_stream_line(s->in, &line, diag);
    if (got > 0 && read_head(line, strlen(line), t)) {
        s->tells_answers = t->has[RESPONSE] || t->has[RCODE];
        return SEK_OK;
    }
    return got < 0 ? (enum sek_err)got
                   : sek_diag_set(diag, SEK_E_INVALID, "%s: no head line", sek_stream_label(s->in));
}

static void close_table(struct sek_source *s)
{
    free(s->reader);
}

/* --- values ------------------------------------------------------------------------------------
 */

/* "17", "0x11"; of several the first. -1: none. */
static long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, text[0] == '0' && text[1] == 'x' ? 16 : 10);
    return end == text || value < 0 ? -1 : value;
}

static uint16_t number16(const char *text)
{
    long value = number(text);
    return value > 0 && value <= UINT16_MAX ? (uint16_t)value : 0;
}

static uint16_t type_of(const char *text)
{
    if (*text >= '0' && *text <= '9')
        return number16(text);
    int known = *text ? sek_qtype_from_text(text) : -1;
    return known > 0 ? (uint16_t)known : 0;
}

/* The first address of several: a packet in a tunnel has those of the tunnel first. */
static bool to_addr(const char *text, size_t len, struct sek_addr *out)
{
    char copy[SEK_ADDR_TEXT_MAX];

    if (len == 0 || len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return sek_addr_from_text(copy, out, NULL) == SEK_OK;
}

static void add_addrs(struct sek_event *e, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, ",");
        struct sek_addr addr;
        if (to_addr(text, len, &addr))
            sek_event_add_addr(e, &addr);
        text += len + (text[len] == ',');
    }
}

static uint32_t least_ttl(const char *text)
{
    uint32_t least = UINT32_MAX;

    while (*text) {
        size_t len = strcspn(text, ",");
        long value = number(text);
        if (value >= 0 && value < least)
            least = value <= INT32_MAX ? (uint32_t)value : 0;
        text += len + (text[len] == ',');
    }
    return least < UINT32_MAX ? least : 0;
}

/* Octets of answers that are no addresses. Where their text is not told, the length of the frame
 * says about how many: less headers, question, and owner, type, class, TTL, length of each answer.
 */
static uint16_t data_octets(const struct row *r, const struct sek_event *e)
{
    size_t told = strlen(r->value[DATA]) + strlen(r->more_data);
    long n = number(r->value[N_ANSWERS]), frame = number(r->value[FRAME_LEN]);

    if (told == 0 && e->n_addrs == 0 && n > 0 && n < 4096 && frame > 0 && e->qtype != 1 &&
        e->qtype != 28) {
        long rest = frame - (14 + (sek_addr_is_v4(&e->endpoint) ? 20 : 40) + 8 + 12) -
                    (e->name_len + 4) - n * 12;
        told = rest > 0 ? (size_t)rest : 0;
    }
    return told < UINT16_MAX ? (uint16_t)told : UINT16_MAX;
}

/* --- rows --------------------------------------------------------------------------------------
 */

static void split(const struct table *t, char *line, struct row *out)
{
    char *at = line;

    for (int i = 0; i < N_KINDS; i++)
        out->value[i] = "";
    out->more_addrs = out->more_data = "";
    for (int i = 0; i < COLUMNS && at; i++) {
        char *tab = strchr(at, '\t');
        enum column column = t->column[i];
        if (tab)
            *tab = '\0';
        if (!*out->value[column])
            out->value[column] = at;
        else if (column == ADDR)
            out->more_addrs = at;
        else if (column == DATA)
            out->more_data = at;
        at = tab ? tab + 1 : NULL;
    }
}

static void take_row(struct sek_source *s, const struct row *r, int64_t time_ms,
                     const struct sek_name *name)
{
    const struct table *t = s->reader;
    bool is_response = *r->value[RESPONSE] == '1' || (*r->value[RESPONSE] | 0x20) == 't';
    struct sek_addr src = {{0}}, dst = {{0}};
    struct sek_event e;

    (void)to_addr(r->value[SRC], strcspn(r->value[SRC], ","), &src);
    (void)to_addr(r->value[DST], strcspn(r->value[DST], ","), &dst);
    struct sek_pair pair = {.client = is_response ? dst : src,
                            .server = is_response ? src : dst,
                            .client_port = number16(r->value[is_response ? DST_PORT : SRC_PORT]),
                            .server_port = number16(r->value[is_response ? SRC_PORT : DST_PORT]),
                            .id = number16(r->value[ID]),
                            .qtype = type_of(r->value[QTYPE]),
                            .name = name};
    uint64_t key = sek_pairs_key(s->pairs, &pair);
    sek__source_event(&e, time_ms, &pair.client, name, pair.qtype);
    if (t->has[RESPONSE] && !is_response) {
        sek__source_set_rcode(&e, -1);
        sek_pairs_ask(s->pairs, key, SEK_REPEAT_IS_SAME, &e);
        return;
    }
    if (t->has[RCODE])
        sek__source_set_rcode(&e, (int)number(r->value[RCODE]));
    add_addrs(&e, r->value[ADDR]);
    add_addrs(&e, r->more_addrs);
    e.ttl_s = least_ttl(r->value[TTL]);
    e.answer_octets = data_octets(r, &e);
    if (!t->has[RESPONSE])
        sek_pairs_pass(s->pairs, &e);
    else
        sek_pairs_answer(s->pairs, key, t->has[ID] ? SEK_REPEAT_IS_SAME : SEK_REPEAT_IS_ANOTHER,
                         &e);
}

static int bad(const struct sek_source *s, struct sek_diag *diag, const char *why)
{
    return (int)sek_diag_set(diag, SEK_E_INVALID, "%s:%" PRIu64 ": %s", sek_stream_label(s->in),
                             sek_stream_n_lines(s->in), why);
}

static int step_table(struct sek_source *s, struct sek_diag *diag)
{
    const struct table *t = s->reader;
    struct sek_name name;
    struct row r;
    int64_t time_ms;
    char *line;

    int got = sek_stream_line(s->in, &line, diag);
    if (got <= 0)
        return got;
    split(t, line, &r);
    const char *time = r.value[TIME], *qname = r.value[QNAME];
    if (!*qname) /* not DNS, or a message without a question */
        return 1;
    if (!sek_logtime_take_epoch(&time, &time_ms) && !sek_logtime_take_ms(&time, s->now_s, &time_ms))
        return bad(s, diag, "has no time");
    if (!sek_name_from_raw(qname, strcspn(qname, ","), SEK_RAW_OCTAL, &name))
        return bad(s, diag, "the name that is asked for is malformed");
    take_row(s, &r, time_ms, &name);
    return 1;
}

const struct sek_source_format sek__source_table = {"table", is_table, open_table, step_table,
                                                    close_table};
