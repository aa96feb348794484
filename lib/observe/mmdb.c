/* SPDX-License-Identifier: BSD-3-Clause */
#include "observe/mmdb.h"
#include "base/file.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

#define MARKER "\xab\xcd\xefMaxMind.com"
#define MARKER_OCTETS (sizeof MARKER - 1)
#define METADATA_MAX (128u << 10) /* octets from the end of the file, by the format */
#define SEPARATOR 16              /* octets between tree and data */
#define STEPS_MAX 4096            /* fields looked at for one value */
#define TYPE_MAX 64

/* Types of fields. Those without a name have no use here. */
enum {
    POINTER = 1,
    TEXT = 2,
    UINT16 = 5,
    UINT32 = 6,
    MAP = 7,
    UINT64 = 9,
    ARRAY = 11,
    BOOLEAN = 14,
    EXTENDED = 7, /* what is added to the second octet of a type */
    LAST = 15,
};

/* Where pointers count from, and where they end. */
struct section {
    const uint8_t *octets;
    size_t n;
};

struct sek_mmdb {
    uint8_t *octets;
    size_t n;
    bool mapped; /* else from malloc */
    struct section data;
    uint32_t n_nodes, node_octets, ipv4_start;
    unsigned version; /* of IP: 4, 6 */
    int64_t built_s;
    char type[TYPE_MAX];
};

/* --- fields ------------------------------------------------------------------------------------
 */

struct field {
    unsigned type;
    size_t size;  /* octets; of a map or array: pairs or values; of a pointer: its target */
    size_t after; /* where its octets, or its first value, begin; behind a pointer */
};

static uint64_t number_at(const uint8_t *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | at[i];
    return value;
}

static bool pointer_at(struct section s, size_t at, unsigned control, struct field *out)
{
    static const size_t base[] = {0, 2048, 526336, 0};
    unsigned more = (control >> 3 & 3) + 1;
    if (s.n - at < more)
        return false;
    size_t high = more == 4 ? 0 : (size_t)(control & 7) << 8 * more;
    out->size = high + number_at(s.octets + at, more) + base[more - 1];
    out->after = at + more;
    return out->size < s.n;
}

static bool field_at(struct section s, size_t at, struct field *out)
{
    if (at >= s.n)
        return false;
    unsigned control = s.octets[at++];
    out->type = control >> 5;
    if (out->type == POINTER)
        return pointer_at(s, at, control, out);
    if (out->type == 0) {
        if (at >= s.n)
            return false;
        out->type = s.octets[at++] + EXTENDED;
    }
    size_t size = control & 31, more = size < 29 ? 0 : size - 28;
    static const size_t base[] = {0, 29, 285, 65821};
    if (s.n - at < more || out->type > LAST)
        return false;
    out->size = more ? base[more] + number_at(s.octets + at, more) : size;
    out->after = at + more;
    return true;
}

/* The field itself, not a pointer to it. The format forbids pointers to pointers. */
static bool value_at(struct section s, size_t at, struct field *out)
{
    return field_at(s, at, out) &&
           (out->type != POINTER || (field_at(s, out->size, out) && out->type != POINTER));
}

/* Octets that a field has after its head; maps and arrays have fields. */
static size_t octets_of(const struct field *f)
{
    return f->type == POINTER || f->type == MAP || f->type == ARRAY || f->type == BOOLEAN ? 0
                                                                                          : f->size;
}

/* Behind a field and all that is in it: without recursion, however deep it is. False: damaged. */
static bool skip(struct section s, size_t *io_at, unsigned *io_steps)
{
    size_t left = 1;
    for (; left > 0 && *io_steps > 0; left--, --*io_steps) {
        struct field f;
        if (!field_at(s, *io_at, &f))
            return false;
        if (f.type == MAP || f.type == ARRAY)
            left += f.type == MAP ? 2 * f.size : f.size;
        if (octets_of(&f) > s.n - f.after)
            return false;
        *io_at = f.after + octets_of(&f);
    }
    return left == 0;
}

static bool is_key(struct section s, const struct field *f, const char *key)
{
    return f->type == TEXT && f->size == strlen(key) && f->size <= s.n - f->after &&
           memcmp(s.octets + f->after, key, f->size) == 0;
}

/* Where the value of a key is, in the map at `at`. */
static bool member(struct section s, size_t *io_at, const char *key, unsigned *io_steps)
{
    struct field map, name;
    if (!value_at(s, *io_at, &map) || map.type != MAP)
        return false;
    size_t at = map.after;
    for (size_t i = 0; i < map.size; i++) {
        size_t key_at = at;
        if (!skip(s, &at, io_steps) || !value_at(s, key_at, &name))
            return false;
        if (is_key(s, &name, key)) {
            *io_at = at;
            return true;
        }
        if (!skip(s, &at, io_steps))
            return false;
    }
    return false;
}

static bool get(struct section s, size_t at, const char *const *path, struct sek_mmdb_value *out)
{
    unsigned steps = STEPS_MAX;
    struct field f;
    for (; *path; path++)
        if (!member(s, &at, *path, &steps))
            return false;
    if (!value_at(s, at, &f) || f.size > s.n - f.after)
        return false;
    const uint8_t *octets = s.octets + f.after;
    if (f.type == TEXT)
        *out = (struct sek_mmdb_value){.text = (const char *)octets, .len = f.size};
    else if ((f.type == UINT16 || f.type == UINT32 || f.type == UINT64) && f.size <= 8)
        *out = (struct sek_mmdb_value){.number = number_at(octets, f.size)};
    else
        return false;
    return true;
}

bool sek_mmdb_get(const struct sek_mmdb *m, size_t record, const char *const *path,
                  struct sek_mmdb_value *out)
{
    return get(m->data, record, path, out);
}

/* --- the tree of addresses ---------------------------------------------------------------------
 */

/* node < n_nodes */
static uint32_t branch(const struct sek_mmdb *m, uint32_t node, unsigned bit)
{
    const uint8_t *at = m->octets + (size_t)node * m->node_octets;
    switch (m->node_octets) {
    case 6:
        return (uint32_t)number_at(at + 3 * bit, 3);
    case 7: /* the middle octet has the high halves of both */
        return (uint32_t)number_at(at + 4 * bit, 3) | (uint32_t)(bit ? at[3] & 15 : at[3] >> 4)
                                                          << 24;
    default:
        return (uint32_t)number_at(at + 4 * bit, 4);
    }
}

/* IPv4 lies below ::/96 in a tree of IPv6. */
static uint32_t ipv4_start(const struct sek_mmdb *m)
{
    uint32_t node = 0;
    for (unsigned i = 0; m->version == 6 && i < 96 && node < m->n_nodes; i++)
        node = branch(m, node, 0);
    return node;
}

bool sek_mmdb_find(const struct sek_mmdb *m, const struct sek_addr *a, size_t *out_record)
{
    bool v4 = sek_addr_is_v4(a);
    if (!v4 && m->version == 4)
        return false;
    uint32_t node = v4 ? m->ipv4_start : 0;
    for (unsigned i = v4 ? 96 : 0; i < 128 && node < m->n_nodes; i++)
        node = branch(m, node, a->octets[i / 8] >> (7 - i % 8) & 1);
    if (node <= m->n_nodes || node - m->n_nodes < SEPARATOR)
        return false;
    *out_record = node - m->n_nodes - SEPARATOR;
    return *out_record < m->data.n;
}

/* --- opening -----------------------------------------------------------------------------------
 */

/* NULL: it has none. */
static const uint8_t *find_metadata(const uint8_t *octets, size_t n)
{
    size_t least = n > METADATA_MAX ? n - METADATA_MAX : 0;
    for (size_t at = n; at >= least + MARKER_OCTETS; at--)
        if (memcmp(octets + at - MARKER_OCTETS, MARKER, MARKER_OCTETS) == 0)
            return octets + at;
    return NULL;
}

static uint64_t metadata_number(struct section s, const char *key)
{
    struct sek_mmdb_value v;
    return get(s, 0, (const char *const[]){key, NULL}, &v) && !v.text ? v.number : 0;
}

static enum sek_err check(struct sek_mmdb *m, const char *label, struct sek_diag *diag)
{
    const uint8_t *end = find_metadata(m->octets, m->n);
    struct sek_mmdb_value v;
    if (!end)
        return sek_diag_set(diag, SEK_E_CORRUPT,
                            "%s: no MaxMind database, or its end is missing; fetch it again",
                            label);
    struct section meta = {end, (size_t)(m->octets + m->n - end)};
    uint64_t format = metadata_number(meta, "binary_format_major_version");
    uint64_t version = metadata_number(meta, "ip_version");
    uint64_t bits = metadata_number(meta, "record_size");
    uint64_t nodes = metadata_number(meta, "node_count");
    if (format != 2)
        return sek_diag_set(diag, SEK_E_VERSION,
                            "%s: version %" PRIu64 " of MaxMind's format is not known", label,
                            format);
    uint64_t tree = nodes * (bits / 4), room = (uint64_t)(end - m->octets) - MARKER_OCTETS;
    if ((version != 4 && version != 6) || (bits != 24 && bits != 28 && bits != 32) || nodes == 0 ||
        nodes > UINT32_MAX || tree + SEPARATOR > room)
        return sek_diag_set(diag, SEK_E_CORRUPT,
                            "%s: a damaged MaxMind database (%" PRIu64 " nodes of %" PRIu64
                            " bits); fetch it again",
                            label, nodes, bits);
    m->version = (unsigned)version;
    m->n_nodes = (uint32_t)nodes;
    m->node_octets = (uint32_t)bits / 4;
    m->data = (struct section){m->octets + tree + SEPARATOR, (size_t)(room - tree - SEPARATOR)};
    m->ipv4_start = ipv4_start(m);
    m->built_s = (int64_t)(metadata_number(meta, "build_epoch") & INT64_MAX);
    if (get(meta, 0, (const char *const[]){"database_type", NULL}, &v) && v.text)
        memcpy(m->type, v.text, v.len < TYPE_MAX ? v.len : TYPE_MAX - 1);
    return SEK_OK;
}

/* Takes the octets in any case. */
static enum sek_err from_own(uint8_t *octets, size_t n, bool mapped, const char *label,
                             struct sek_mmdb **out, struct sek_diag *diag)
{
    struct sek_mmdb empty = {.octets = octets, .n = n, .mapped = mapped}, *m = malloc(sizeof *m);
    enum sek_err err = SEK_OK;
    if (m)
        *m = empty;
    else
        err = sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory", label);
    if (err == SEK_OK)
        err = check(m, label, diag);
    if (err == SEK_OK) {
        *out = m;
    } else if (m) {
        sek_mmdb_close(m);
    } else if (mapped) {
        munmap(octets, n);
    } else {
        free(octets);
    }
    return err;
}

enum sek_err sek_mmdb_from_octets(const void *octets, size_t n, const char *label,
                                  struct sek_mmdb **out, struct sek_diag *diag)
{
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s: out of memory for %zu octets", label, n);
    memcpy(copy, octets, n);
    return from_own(copy, n, false, label, out, diag);
}

enum sek_err sek_mmdb_open(const char *path, struct sek_mmdb **out, struct sek_diag *diag)
{
    struct stat st;
    void *copy;
    int fd;
    enum sek_err err = sek_file_open_trusted(path, &fd, diag);
    if (err != SEK_OK)
        return err;
    if (fstat(fd, &st) != 0 || st.st_size == 0) {
        err = sek_diag_set(diag, SEK_E_CORRUPT, "%s: the file is empty; fetch it again", path);
    } else if ((uint64_t)st.st_size > SEK_MMDB_OCTETS_MAX) {
        err = sek_diag_set(diag, SEK_E_LIMIT, "%s: larger than %llu octets", path,
                           SEK_MMDB_OCTETS_MAX);
    } else if ((err = sek_file_copy(fd, (size_t)st.st_size, &copy, diag)) != SEK_OK) {
        sek_diag_wrap(diag, "%s", path);
    }
    close(fd);
    return err == SEK_OK ? from_own(copy, (size_t)st.st_size, true, path, out, diag) : err;
}

void sek_mmdb_close(struct sek_mmdb *m)
{
    if (!m)
        return;
    if (m->mapped)
        munmap(m->octets, m->n);
    else
        free(m->octets);
    free(m);
}

size_t sek_mmdb_octets(const struct sek_mmdb *m)
{
    return sizeof *m + m->n;
}

const char *sek_mmdb_type(const struct sek_mmdb *m)
{
    return m->type;
}

int64_t sek_mmdb_built_s(const struct sek_mmdb *m)
{
    return m->built_s;
}
