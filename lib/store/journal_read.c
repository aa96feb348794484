/* SPDX-License-Identifier: BSD-3-Clause */
/* The other way: a part of store/journal.h unpacked. It may have been altered, so that every length
 * is checked. */
#include "store/journal.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define BLOCK_OCTETS 65536

struct block {
    struct block *next;
    size_t used, size;
};

/* Memory that stays where it is until all of it is freed. */
static void *take(struct sek__changes *c, size_t n)
{
    struct block *b = c->blocks;
    n = (n + 15) & ~(size_t)15;
    if (!b || b->size - b->used < n) {
        size_t size = n > BLOCK_OCTETS ? n : BLOCK_OCTETS;
        b = malloc(sizeof *b + 16 + size);
        if (!b)
            return NULL;
        *b = (struct block){.next = c->blocks, .size = size};
        c->blocks = b;
    }
    uintptr_t at = ((uintptr_t)(b + 1) + 15) & ~(uintptr_t)15;
    b->used += n;
    return (void *)(at + b->used - n);
}

void sek__changes_free(struct sek__changes *c)
{
    for (struct block *b = c->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(c->all);
    *c = (struct sek__changes){0};
}

struct reader {
    const uint8_t *at, *end;
    bool bad;
    enum sek_err err;
    struct sek__changes *out;
    struct sek__cell before[SEK_JOURNAL_TABLES][SEK_JOURNAL_COLUMNS];
};

static uint64_t get_number(struct reader *r)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        uint8_t octet = *r->at++;
        n |= (uint64_t)(octet & 0x7f) << shift;
        if (!(octet & 0x80))
            return n;
    }
    r->bad = true;
    return 0;
}

static uint8_t get_octet(struct reader *r)
{
    if (r->at < r->end)
        return *r->at++;
    r->bad = true;
    return 0;
}

static void get_octets(struct reader *r, const struct sek__cell *before, struct sek__cell *out)
{
    uint64_t shared = get_number(r), len = get_number(r);
    if (r->bad || shared > before->len || len > (uint64_t)(r->end - r->at)) {
        r->bad = true;
        return;
    }
    out->len = (uint32_t)(shared + len);
    if (shared == 0) {
        out->data = r->at;
    } else {
        uint8_t *room = take(r->out, shared + len);
        if (!room) {
            r->err = SEK_E_NOMEM;
            return;
        }
        memcpy(room, before->data, shared);
        memcpy(room + shared, r->at, len);
        out->data = room;
    }
    r->at += len;
}

static struct sek__cell get_cell(struct reader *r, const struct sek__cell *before)
{
    struct sek__cell c = {.type = get_octet(r)};
    if (c.type == SEK_CELL_INT) {
        uint64_t n = get_number(r);
        c.n = (int64_t)(n >> 1 ^ (~(n & 1) + 1));
    } else if (c.type == SEK_CELL_TEXT || c.type == SEK_CELL_BLOB) {
        get_octets(r, before, &c);
    } else if (c.type != SEK_CELL_NULL) {
        r->bad = true;
    }
    return c;
}

static const struct sek__cell *get_image(struct reader *r, const struct sek__journal_table *t)
{
    unsigned n = sek__journal_n_columns(t);
    struct sek__cell *before = r->before[t->id], *row = take(r->out, n * sizeof *row);
    uint64_t bits = get_number(r);
    if (!row) {
        r->err = SEK_E_NOMEM;
        return NULL;
    }
    for (unsigned i = 0; i < n; i++) {
        bool late = sek__journal_is_late(t, i), said = (bits >> i & 1) == late;
        if (said && !r->bad && !r->err)
            before[i] = get_cell(r, &before[i]);
        row[i] = late && !said
                     ? (struct sek__cell){.type = SEK_CELL_TEXT, .data = (const uint8_t *)""}
                     : before[i];
    }
    return row;
}

static void get_change(struct reader *r)
{
    struct sek__changes *c = r->out;
    struct sek__change change = {.op = get_octet(r)};
    uint64_t id = get_number(r);
    change.table = id < SEK_JOURNAL_TABLES ? sek__journal_table((unsigned)id) : NULL;
    if (!change.table || !change.op || !strchr("idun", change.op)) {
        r->bad = true;
        return;
    }
    if (change.op == 'd' || change.op == 'u')
        change.old = get_image(r, change.table);
    if (change.op != 'd')
        change.fresh = get_image(r, change.table);
    if (c->n == c->room) {
        size_t room = c->room ? 2 * c->room : 64;
        struct sek__change *all = reallocarray(c->all, room, sizeof *all);
        if (!all) {
            r->err = SEK_E_NOMEM;
            return;
        }
        c->all = all;
        c->room = room;
    }
    if (!r->bad && !r->err)
        c->all[c->n++] = change;
}

enum sek_err sek__changes_read(const uint8_t *part, size_t len, struct sek__changes *out,
                               struct sek_diag *diag)
{
    struct reader *r = calloc(1, sizeof *r);
    *out = (struct sek__changes){0};
    if (!r)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    r->at = part;
    r->end = part + len;
    r->out = out;
    while (r->at < r->end && !r->bad && !r->err)
        get_change(r);
    enum sek_err err = r->err;
    if (err)
        sek_diag_set(diag, err, "%s", sek_err_text(err));
    else if (r->bad)
        err = sek_diag_set(diag, SEK_E_CORRUPT, "the data for undo makes no sense");
    free(r);
    return err;
}

bool sek__cells_equal(const struct sek__cell *a, const struct sek__cell *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (a[i].type != b[i].type || a[i].n != b[i].n || a[i].len != b[i].len ||
            (a[i].len && memcmp(a[i].data, b[i].data, a[i].len) != 0))
            return false;
    return true;
}

/* --- names of lists ----------------------------------------------------------------------------
 */

struct sek__list_names {
    struct sek__list_names *next;
    unsigned table; /* LIST, or GROUP, whose list it has in place of the name */
    int64_t id, list;
    char name[];
};

static const struct sek__list_names *find_name(const struct sek__list_names *names, unsigned table,
                                               int64_t id)
{
    while (names && !(names->table == table && names->id == id))
        names = names->next;
    return names;
}

const char *sek__list_name(const struct sek__list_names *lists, int64_t id)
{
    const struct sek__list_names *one = find_name(lists, SEK_JOURNAL_LIST, id);
    return one ? one->name : NULL;
}

const char *sek__group_name(const struct sek__list_names *lists, int64_t group)
{
    const struct sek__list_names *one = find_name(lists, SEK_JOURNAL_GROUP, group);
    return one ? sek__list_name(lists, one->list) : NULL;
}

static bool add_name(struct sek__list_names **names, unsigned table, const struct sek__cell *row)
{
    uint8_t type = table == SEK_JOURNAL_LIST ? SEK_CELL_TEXT : SEK_CELL_INT;
    if (row[1].type != type || find_name(*names, table, row[0].n))
        return true;
    struct sek__list_names *one = malloc(sizeof *one + row[1].len + 1);
    if (!one)
        return false;
    one->next = *names;
    one->table = table;
    one->id = row[0].n;
    one->list = row[1].n;
    if (row[1].len)
        memcpy(one->name, row[1].data, row[1].len);
    one->name[row[1].len] = '\0';
    *names = one;
    return true;
}

enum sek_err sek__list_names_add(struct sek__list_names **names, const struct sek__changes *c)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct sek__change *change = &c->all[i];
        bool names_it =
            change->table->id == SEK_JOURNAL_LIST || change->table->id == SEK_JOURNAL_GROUP;
        if (names_it &&
            !add_name(names, change->table->id, change->fresh ? change->fresh : change->old))
            return SEK_E_NOMEM;
    }
    return SEK_OK;
}

void sek__list_names_free(struct sek__list_names *names)
{
    for (struct sek__list_names *next; names; names = next) {
        next = names->next;
        free(names);
    }
}
