/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/message.h"
#include <string.h>
#include "base/banned.h"

#define HEADER 12        /* octets, RFC 1035 §4.1.1 */
#define NS_TARGETS 8     /* name servers whose addresses are looked for */
#define RECORDS_MAX 4096 /* of a section that are read: a message of 64 KiB has no more of use */

enum { TYPE_A = 1, TYPE_NS = 2, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_PTR = 12, TYPE_MX = 15 };
enum { TYPE_AAAA = 28, TYPE_SRV = 33, TYPE_DNAME = 39, TYPE_OPT = 41, TYPE_RRSIG = 46 };
enum { TYPE_SVCB = 64, TYPE_HTTPS = 65 };
enum { TYPE_IXFR = 251, TYPE_AXFR = 252, CLASS_IN = 1 };

struct cursor {
    const uint8_t *wire;
    size_t size, at;
};

struct record {
    size_t owner, data; /* where they begin */
    uint16_t type, class, len;
    uint32_t ttl_s;
};

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* The name at `at`, without compression, to `out` of SEK_NAME_MAX octets. *at moves behind it.
 * Returns its length, 0 if it is malformed. Each pointer must go back behind the one before: a loop
 * ends there. */
static size_t take_name(const struct cursor *c, size_t *at, uint8_t *out)
{
    size_t p = *at, back = *at, n = 0;
    bool jumped = false;

    for (;;) {
        if (p >= c->size)
            return 0;
        uint8_t len = c->wire[p];
        if (len >= 0xc0) {
            if (p + 1 >= c->size)
                return 0;
            if (!jumped)
                *at = p + 2;
            jumped = true;
            p = get16(c->wire + p) & 0x3fffU;
            if (p >= back)
                return 0;
            back = p;
            continue;
        }
        if (len > SEK_LABEL_MAX || p + 1 + len > c->size || n + 1 + len > SEK_NAME_MAX)
            return 0;
        memcpy(out + n, c->wire + p, 1U + len);
        n += 1U + len;
        p += 1U + len;
        if (len == 0)
            break;
    }
    if (!jumped)
        *at = p;
    return n;
}

static bool skip_name(struct cursor *c)
{
    while (c->at < c->size) {
        uint8_t len = c->wire[c->at];
        if (len >= 0xc0) {
            c->at += 2;
            return c->at <= c->size;
        }
        if (len > SEK_LABEL_MAX)
            return false;
        c->at += 1U + len;
        if (len == 0)
            return c->at <= c->size;
    }
    return false;
}

static bool take_record(struct cursor *c, struct record *out)
{
    out->owner = c->at;
    if (!skip_name(c) || c->size - c->at < 10)
        return false;
    const uint8_t *p = c->wire + c->at;
    out->type = get16(p);
    out->class = get16(p + 2);
    out->ttl_s = get32(p + 4);
    out->len = get16(p + 8);
    out->data = c->at + 10;
    if (out->ttl_s > INT32_MAX) /* RFC 2181 §8 */
        out->ttl_s = 0;
    if (c->size - out->data < out->len)
        return false;
    c->at = out->data + out->len;
    return true;
}

static bool to_addr(const struct cursor *c, const struct record *r, struct sek_addr *out)
{
    static const struct sek_addr mapped = {{[10] = 0xff, [11] = 0xff}};

    *out = mapped;
    if (r->class != CLASS_IN ||
        !((r->type == TYPE_A && r->len == 4) || (r->type == TYPE_AAAA && r->len == 16)))
        return false;
    memcpy(out->octets + 16 - r->len, c->wire + r->data, r->len);
    return true;
}

static void note_ttl(struct sek_message *m, uint32_t ttl_s, bool *has_ttl)
{
    if (!*has_ttl || ttl_s < m->ttl_s)
        m->ttl_s = ttl_s;
    *has_ttl = true;
}

static void add_answer(const struct cursor *c, const struct record *r, struct sek_message *m)
{
    struct sek_addr addr;

    if (to_addr(c, r, &addr)) {
        if (m->n_addrs < SEK_EVENT_ADDRS)
            m->addrs[m->n_addrs++] = addr;
    } else if (r->type != TYPE_RRSIG && r->type != TYPE_OPT) {
        m->octets = r->len < UINT16_MAX - m->octets ? (uint16_t)(m->octets + r->len) : UINT16_MAX;
    }
}

/* How long a negative answer may be kept: the last field of the SOA, too (RFC 2308 §5). */
static uint32_t soa_ttl(const struct cursor *c, const struct record *r)
{
    if (r->type != TYPE_SOA || r->len < 22)
        return r->ttl_s;
    uint32_t least = get32(c->wire + r->data + r->len - 4);
    return least < r->ttl_s ? least : r->ttl_s;
}

/* Names of name servers, to know their addresses by. */
struct targets {
    unsigned n;
    size_t len[NS_TARGETS];
    uint8_t name[NS_TARGETS][SEK_NAME_MAX];
};

static void add_target(const struct cursor *c, const struct record *r, struct targets *t)
{
    size_t at = r->data;

    if (r->type != TYPE_NS || t->n == NS_TARGETS)
        return;
    t->len[t->n] = take_name(c, &at, t->name[t->n]);
    if (t->len[t->n] > 0)
        t->n++;
}

static void add_ns_addr(const struct cursor *c, const struct record *r, const struct targets *t,
                        struct sek_message *m)
{
    uint8_t owner[SEK_NAME_MAX];
    struct sek_addr addr;
    size_t at = r->owner;

    if (t->n == 0 || m->n_ns_addrs == SEK_EVENT_NS_ADDRS || !to_addr(c, r, &addr))
        return;
    size_t len = take_name(c, &at, owner);
    for (unsigned i = 0; i < t->n; i++)
        if (len > 0 && sek_name_equal(owner, len, t->name[i], t->len[i])) {
            m->ns_addrs[m->n_ns_addrs++] = addr;
            return;
        }
}

/* The three sections behind the question. */
static void read_sections(struct cursor *c, struct sek_message *m)
{
    struct targets targets;
    struct record r;
    bool has_ttl = false;

    targets.n = 0;
    for (unsigned section = 0; section < 3; section++)
        for (unsigned n = get16(c->wire + 6 + 2 * section), i = 0; i < n; i++) {
            if (i == RECORDS_MAX || !take_record(c, &r))
                return;
            if (section == 0)
                add_answer(c, &r, m);
            if (section < 2) {
                add_target(c, &r, &targets);
                note_ttl(m, section == 1 ? soa_ttl(c, &r) : r.ttl_s, &has_ttl);
            } else {
                add_ns_addr(c, &r, &targets, m);
            }
        }
}

static int bad(struct sek_diag *diag, const char *why)
{
    return (int)sek_diag_set(diag, SEK_E_INVALID, "malformed DNS message: %s", why);
}

int sek_message_read(const uint8_t *wire, size_t size, struct sek_message *out,
                     struct sek_diag *diag)
{
    uint8_t name[SEK_NAME_MAX];
    struct cursor c = {wire, size, HEADER};

    if (size < HEADER)
        return bad(diag, "shorter than its header");
    if ((wire[2] & 0x78) != 0) /* OPCODE: only QUERY */
        return 0;
    if (get16(wire + 4) != 1)
        return bad(diag, get16(wire + 4) ? "more than one question" : "no question");
    size_t len = take_name(&c, &c.at, name);
    if (len == 0 || size - c.at < 4)
        return bad(diag, len ? "the question is cut off" : "the question has no valid name");
    out->id = get16(wire);
    out->is_response = wire[2] & 0x80;
    out->rcode = wire[3] & 0x0f;
    out->qtype = get16(wire + c.at);
    if (get16(wire + c.at + 2) != CLASS_IN || out->qtype == TYPE_AXFR || out->qtype == TYPE_IXFR)
        return 0;
    c.at += 4;
    if (sek_name_from_wire(name, len, &out->name))
        return bad(diag, "the question has no valid name");
    out->ttl_s = 0;
    out->octets = 0;
    out->n_addrs = out->n_ns_addrs = 0;
    if (out->is_response)
        read_sections(&c, out);
    return 1;
}

/* --- names -------------------------------------------------------------------------------------
 */

static bool tell_name(const struct cursor *c, size_t *at, sek_message_name_fn *fn, void *arg)
{
    uint8_t octets[SEK_NAME_MAX];
    struct sek_name name;
    size_t len = take_name(c, at, octets);

    return len > 0 && sek_name_from_wire(octets, len, &name) == SEK_OK && fn(arg, &name);
}

/* Octets in front of the name in a record's data; -1: it names none. */
static int name_in_data(uint16_t type)
{
    switch (type) {
    case TYPE_NS:
    case TYPE_CNAME:
    case TYPE_PTR:
    case TYPE_DNAME:
        return 0;
    case TYPE_MX:
    case TYPE_SVCB:
    case TYPE_HTTPS:
        return 2;
    case TYPE_SRV:
        return 6;
    default:
        return -1;
    }
}

static bool tell_record(const struct cursor *c, const struct record *r, sek_message_name_fn *fn,
                        void *arg)
{
    size_t owner = r->owner, target = r->data;
    int before = name_in_data(r->type);

    if (tell_name(c, &owner, fn, arg))
        return true;
    target += before > 0 ? (size_t)before : 0;
    return before >= 0 && before < r->len && tell_name(c, &target, fn, arg);
}

bool sek_message_names(const uint8_t *wire, size_t size, sek_message_name_fn *fn, void *arg)
{
    struct cursor c = {wire, size, HEADER};
    struct record r;

    if (size < HEADER)
        return false;
    for (unsigned n = get16(wire + 4), i = 0; i < n; i++) {
        size_t at = c.at;
        if (i == RECORDS_MAX || tell_name(&c, &at, fn, arg))
            return i < RECORDS_MAX;
        if (!skip_name(&c) || size - c.at < 4)
            return false;
        c.at += 4;
    }
    for (unsigned n = get16(wire + 6), i = 0; i < n && i < RECORDS_MAX; i++) {
        if (!take_record(&c, &r))
            return false;
        if (tell_record(&c, &r, fn, arg))
            return true;
    }
    return false;
}
