/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/image_write.h"
#include "base/file.h"
#include "policy/image_format.h"
#include "policy/pack.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

struct sek_image_writer {
    struct sek_image_head head;
    uint64_t at[SEK__N_SECTIONS + 1];
    uint8_t *front;             /* the file up to ENTRIES */
    struct sek_buf lines;       /* ENTRIES */
    struct sek_buf waiting;     /* struct entry, for a line with room */
    struct sek_buf names_apart; /* of SEK_IMAGE_NAMES_APART */
    struct sek_buf parts;       /* behind them */
    uint64_t n_measured, n_measured_octets;
    struct sek_pack *pack;
    struct sek_hash_key trail_key;
};

static void *section(const struct sek_image_writer *w, enum sek__section which)
{
    return w->front + w->at[which];
}

static int by_id(const void *a, const void *b)
{
    const struct sek_list *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static int by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The distinct expiries of all rules, ascending; *out is the caller's. */
static enum sek_err collect_expiries(const struct sek_rulesets *sets, int64_t **out,
                                     uint32_t *out_n, struct sek_diag *diag)
{
    int64_t *times = malloc((sek_rulesets_n_rules(sets) + 1UL) * sizeof(*times));
    uint32_t n = 0, n_distinct = 0;

    if (!times)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    for (uint32_t id = 0; id < sek_rulesets_n(sets); id++) {
        unsigned n_rules;
        const struct sek_rule *rules = sek_rulesets_get(sets, id, &n_rules);
        for (unsigned i = 0; i < n_rules; i++)
            if (rules[i].expires_s != 0)
                times[n++] = rules[i].expires_s;
    }
    qsort(times, n, sizeof(*times), by_time);
    for (uint32_t i = 0; i < n; i++)
        if (n_distinct == 0 || times[n_distinct - 1] != times[i])
            times[n_distinct++] = times[i];
    *out = times;
    *out_n = n_distinct;
    return SEK_OK;
}

static void fill_front(struct sek_image_writer *w, const struct sek_image_parts *parts,
                       const int64_t *expiries)
{
    struct sek_list *lists = section(w, SEK__LISTS);
    uint32_t *starts = section(w, SEK__SETS);
    struct sek_rule *out_rules = section(w, SEK__RULES);

    memcpy(section(w, SEK__CODE), parts->code->data, parts->code->len);
    for (uint32_t i = 0; i < w->head.n_lists; i++)
        lists[i] = parts->lists[i];
    qsort(lists, w->head.n_lists, sizeof(*lists), by_id);
    memcpy(section(w, SEK__EXPIRIES), expiries, w->head.n_expiries * sizeof(*expiries));
    for (uint32_t id = 0; id < w->head.n_sets; id++) {
        unsigned n;
        const struct sek_rule *rules = sek_rulesets_get(parts->sets, id, &n);
        for (unsigned i = 0; i < n; i++)
            out_rules[starts[id] + i] = rules[i];
        starts[id + 1] = starts[id] + n;
    }
}

static void fill_head(struct sek_image_head *head, const struct sek_image_parts *parts,
                      uint32_t n_expiries)
{
    const struct sek_image_info *info = parts->info;

    *head = (struct sek_image_head){
        .version = SEK_IMAGE_VERSION,
        .order = SEK_IMAGE_ORDER,
        .id = info->id,
        .base_id = info->base_id,
        .generation = info->generation,
        .made_s = info->made_s,
        .n_names = info->n_names,
        .n_rules = info->n_rules,
        .n_code = (uint32_t)parts->code->len,
        .n_lists = info->n_lists,
        .n_expiries = n_expiries,
        .n_sets = sek_rulesets_n(parts->sets),
        .n_set_rules = sek_rulesets_n_rules(parts->sets),
        .n_filter = (uint32_t)(info->n_names * SEK_IMAGE_FILTER_BITS / 64 + 1),
        .n_buckets = 1,
    };
    memcpy(head->magic, SEK_IMAGE_MAGIC, sizeof(head->magic));
}

/* Fill up to a whole step of the file. */
static bool add_padding(struct sek_buf *out)
{
    size_t n = -out->len % SEK_IMAGE_ALIGN;
    void *padding = sek_buf_grow(out, n);

    if (padding)
        memset(padding, 0, n);
    return padding != NULL;
}

static enum sek_err add_part(struct sek_buf *out, enum sek_image_kind kind,
                             const struct sek_buf *data, struct sek_diag *diag)
{
    const struct sek_image_part part = {.kind = (uint32_t)kind, .size = data->len};

    if (data->len == 0)
        return SEK_OK;
    sek_buf_add(out, &part, sizeof(part));
    sek_buf_add(out, data->data, data->len);
    if (!add_padding(out))
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    return SEK_OK;
}

enum sek_err sek_image_writer_new(const struct sek_image_parts *parts,
                                  struct sek_image_writer **out, struct sek_diag *diag)
{
    struct sek_image_writer *w = calloc(1, sizeof(*w));
    int64_t *expiries = NULL;
    uint32_t n_expiries = 0;
    enum sek_err err;

    if (!w)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    sek_buf_init(&w->lines, UINT32_MAX - SEK_IMAGE_ALIGN);
    sek_buf_init(&w->waiting, 0);
    sek_buf_init(&w->names_apart, UINT32_MAX);
    sek_buf_init(&w->parts, 0);
    err = collect_expiries(parts->sets, &expiries, &n_expiries, diag);
    if (err == SEK_OK)
        err = add_part(&w->parts, SEK_IMAGE_GROUPS, parts->groups, diag);
    if (err == SEK_OK)
        err = add_part(&w->parts, SEK_IMAGE_NETS, parts->nets, diag);
    if (err == SEK_OK)
        err = add_part(&w->parts, SEK_IMAGE_PATTERNS, parts->patterns, diag);
    if (err == SEK_OK)
        err = add_part(&w->parts, SEK_IMAGE_PLACES, parts->places, diag);
    if (err == SEK_OK)
        err = add_part(&w->parts, SEK_IMAGE_TERMS, parts->terms, diag);
    if (err == SEK_OK)
        err = add_part(&w->parts, SEK_IMAGE_OVERRIDES, parts->overrides, diag);
    if (err != SEK_OK)
        goto fail;
    err = sek_pack_load((const uint8_t *)parts->code->data, parts->code->len, &w->pack, diag);
    if (err != SEK_OK)
        goto fail;
    fill_head(&w->head, parts, n_expiries);
    w->trail_key = sek__trail_key(sek_image_seed(w->head.id, w->head.base_id));
    sek__image_layout(&w->head, w->at);
    w->front = calloc(1, w->at[SEK__ENTRIES]);
    if (!w->front) {
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
        goto fail;
    }
    fill_front(w, parts, expiries);
    free(expiries);
    *out = w;
    return SEK_OK;
fail:
    free(expiries);
    sek_image_writer_free(w);
    return err;
}

void sek_image_writer_free(struct sek_image_writer *w)
{
    if (!w)
        return;
    sek_buf_fini(&w->lines);
    sek_buf_fini(&w->waiting);
    sek_buf_fini(&w->names_apart);
    sek_buf_fini(&w->parts);
    sek_pack_free(w->pack);
    free(w->front);
    free(w);
}

/* That the name is listed, and that something is below those above it. */
static void add_to_filter(struct sek_image_writer *w, const struct sek_name *name)
{
    uint64_t *filter = section(w, SEK__FILTER);
    struct sek_trail trail;

    sek__trail_make(&w->trail_key, name, &trail);
    for (unsigned k = 1; k < name->n_labels; k++)
        filter[sek__image_spread(trail.hash[k], w->head.n_filter)] |=
            sek__image_below_bits(trail.hash[k]);
    uint64_t hash = trail.hash[name->n_labels];
    filter[sek__image_spread(hash, w->head.n_filter)] |= sek__image_filter_bits(hash);
}

/* An entry as a line holds it. */
struct entry {
    uint8_t octets[SEK_IMAGE_LINE - 1];
    uint8_t n;
};

static void put(struct entry *entry, const void *octets, size_t n)
{
    memcpy(entry->octets + entry->n, octets, n);
    entry->n = (uint8_t)(entry->n + n);
}

/* What is to be stored of a name. */
struct stored {
    const uint8_t *octets; /* len - 1 of them, and then `last` */
    uint16_t len;
    uint8_t last;
    uint32_t set_id;
};

static void put_head(struct entry *out, const struct stored *s, uint16_t apart)
{
    uint16_t len = s->len | apart;
    unsigned low = len < SEK_IMAGE_LONG ? len : SEK_IMAGE_LONG;
    unsigned high = s->set_id < SEK_IMAGE_FAR ? s->set_id : SEK_IMAGE_FAR;
    uint8_t head = (uint8_t)(high << 5 | low);

    out->n = 0;
    put(out, &head, 1);
    if (low == SEK_IMAGE_LONG)
        put(out, &len, sizeof(len));
    if (high == SEK_IMAGE_FAR)
        put(out, &s->set_id, sizeof(s->set_id));
}

/* With the name in it. False: it is too long for a line. */
static bool make_whole(const struct stored *s, struct entry *out)
{
    if (s->len > SEK_IMAGE_NEAR)
        return false;
    put_head(out, s, 0);
    put(out, s->octets, s->len - 1U);
    put(out, &s->last, 1);
    return true;
}

/* With the place of its name, which goes to the others that stand apart. */
static void make_apart(const struct stored *s, struct sek_buf *names, struct entry *out)
{
    uint32_t place = (uint32_t)names->len;

    put_head(out, s, SEK_IMAGE_APART);
    put(out, &place, sizeof(place));
    sek_buf_add(names, s->octets, s->len - 1U);
    sek_buf_add(names, &s->last, 1);
}

/* Into the last line, if there is room. */
static bool fits(struct sek_image_writer *w, const struct entry *entry)
{
    uint8_t *line = (uint8_t *)w->lines.data + w->lines.len - SEK_IMAGE_LINE;

    if (1U + *line + entry->n > SEK_IMAGE_LINE)
        return false;
    memcpy(line + 1 + *line, entry->octets, entry->n);
    *line = (uint8_t)(*line + entry->n);
    return true;
}

/* Those that wait fill up the last line, and another one is begun. */
static void next_line(struct sek_image_writer *w)
{
    struct entry *waiting = (struct entry *)(void *)w->waiting.data;
    size_t n = w->waiting.len / sizeof(*waiting), n_left = 0;

    for (size_t i = 0; i < n; i++)
        if (!fits(w, &waiting[i]))
            waiting[n_left++] = waiting[i];
    w->waiting.len = n_left * sizeof(*waiting);
    if (n_left > 0)
        w->lines.data[w->lines.len - SEK_IMAGE_LINE] |= (char)SEK_IMAGE_MORE;
    void *line = sek_buf_grow(&w->lines, SEK_IMAGE_LINE);
    if (line)
        memset(line, 0, SEK_IMAGE_LINE);
}

static bool failed(const struct sek_image_writer *w)
{
    return w->lines.failed || w->waiting.failed || w->names_apart.failed;
}

/* An entry stands in its own line, or waits for one behind it that has room when all of its own
 * are in: that leaves the fewest elsewhere, one in ten. Those that wait hold no more than a place
 * (at most 11 octets), so that each line takes some of them, however long names are and however
 * badly they fill lines: a line of 63 octets then takes more than the 48 that come for it. */
static void add_entry(struct sek_image_writer *w, const struct stored *s, uint32_t home)
{
    struct entry entry, apart;

    while (!failed(w) && w->lines.len / SEK_IMAGE_LINE <= home)
        next_line(w);
    bool whole = make_whole(s, &entry);
    if (failed(w) || (whole && fits(w, &entry)))
        return;
    put_head(&apart, s, SEK_IMAGE_APART);
    if (!whole || entry.n > apart.n + sizeof(uint32_t))
        make_apart(s, &w->names_apart, &entry);
    if (!fits(w, &entry))
        sek_buf_add(&w->waiting, &entry, sizeof(entry));
}

static struct stored stored_of(const struct sek_packed *packed, unsigned n_labels, uint32_t set_id)
{
    struct stored s = {.octets = packed->octets, .set_id = set_id};

    s.len = (uint16_t)sek_packed_stored(packed, n_labels, &s.last);
    return s;
}

void sek_image_writer_measure(struct sek_image_writer *w, const struct sek_name *name,
                              uint32_t set_id)
{
    struct sek_packed packed;
    struct entry entry;

    sek_pack_name(w->pack, name, name->n_labels, &packed);
    const struct stored s = stored_of(&packed, name->n_labels, set_id);
    if (!make_whole(&s, &entry))
        put_head(&entry, &s, SEK_IMAGE_APART);
    w->n_measured_octets += entry.n;
    w->n_measured++;
    w->head.n_buckets =
        (uint32_t)(w->head.n_names * w->n_measured_octets / w->n_measured / SEK_IMAGE_FILL + 1);
}

enum sek_err sek_image_writer_add(struct sek_image_writer *w, const struct sek_name *name,
                                  uint64_t hash, uint32_t set_id, struct sek_diag *diag)
{
    struct sek_packed packed;

    add_to_filter(w, name);
    w->head.depths[name->n_labels / 64] |= (uint64_t)1 << name->n_labels % 64;
    sek_pack_name(w->pack, name, name->n_labels, &packed);
    const struct stored s = stored_of(&packed, name->n_labels, set_id);
    add_entry(w, &s, sek__image_spread(hash, w->head.n_buckets));
    if (failed(w))
        return sek_diag_set(diag, SEK_E_NOMEM,
                            "out of memory for names (an image holds at most 4 GiB of them)");
    return SEK_OK;
}

/* The lines that are missing, and the names that did not go into any. */
static enum sek_err finish(struct sek_image_writer *w, struct sek_diag *diag)
{
    while (!failed(w) && (w->lines.len / SEK_IMAGE_LINE < w->head.n_buckets || w->waiting.len > 0))
        next_line(w);
    if (failed(w))
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    w->head.n_entries = (uint32_t)w->lines.len;
    return add_part(&w->parts, SEK_IMAGE_NAMES_APART, &w->names_apart, diag);
}

enum sek_err sek_image_writer_commit(struct sek_image_writer *w, const char *path,
                                     uint64_t *out_size, struct sek_diag *diag)
{
    struct sek_file_new file;
    struct sek__sum sum = SEK__SUM_START;
    enum sek_err err = finish(w, diag);

    if (err != SEK_OK)
        return err;
    w->head.size = w->at[SEK__ENTRIES] + w->lines.len + w->parts.len;
    memcpy(w->front, &w->head, sizeof(w->head));
    sek__sum_add(&sum, w->front, w->at[SEK__ENTRIES]);
    sek__sum_add(&sum, w->lines.data, w->lines.len);
    sek__sum_add(&sum, w->parts.data, w->parts.len);
    w->head.sum = sek__sum_end(&sum);
    memcpy(w->front, &w->head, sizeof(w->head));
    err = sek_file_new_open(path, 0644, &file, diag);
    if (err != SEK_OK)
        return err;
    err = sek_file_new_write(&file, w->front, w->at[SEK__ENTRIES], diag);
    if (err == SEK_OK)
        err = sek_file_new_write(&file, w->lines.data, w->lines.len, diag);
    if (err == SEK_OK)
        err = sek_file_new_write(&file, w->parts.data, w->parts.len, diag);
    if (err == SEK_OK)
        err = sek_file_new_commit(&file, diag);
    if (err == SEK_OK)
        *out_size = w->head.size;
    sek_file_new_abort(&file);
    return err;
}
