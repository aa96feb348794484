/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/compile.h"
#include "base/buf.h"
#include "policy/census.h"
#include "policy/groups_write.h"
#include "policy/image_write.h"
#include "policy/nets_write.h"
#include "policy/override.h"
#include "policy/patterns_write.h"
#include "policy/terms_write.h"
#include "policy/trail.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define DEFAULT_OCTETS ((uint64_t)8 << 30)
/* What writing needs a record at most, beside the record: two sort keys, a rule set of its own with
 * its place in the tables, its share of the image. */
#define WORK_OCTETS 96
#define SAMPLE_MAX (1U << 18) /* names that the code is designed on; more change it by nothing */
#define N_SCOPES 3

/* What was added, in that order: length octet, name, struct sek_rule (scope 0: a removed name).
 * Kept close together rather than as structs, as there are ten million of them. */
struct sek_compile {
    uint64_t max_octets;
    struct sek_buf records;
    size_t n_records, n_removed;
    struct sek_groups_writer *groups;
    struct sek_nets_writer *nets;
    struct sek_patterns_writer *patterns;
    struct sek_image_places places;
    struct sek_terms_writer *terms;
    struct sek_buf overrides; /* of struct sek_override */
    unsigned n_lists;
    uint8_t known[65536 / 8];   /* bit a list id */
    uint8_t answers[65536 / 8]; /* the same of those with rules about answers */
    struct sek_list lists[SEK_LISTS_MAX];
};

enum sek_err sek_compile_new(uint64_t max_octets, struct sek_compile **out, struct sek_diag *diag)
{
    struct sek_compile *c = calloc(1, sizeof(*c));

    if (!c)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    c->max_octets = max_octets ? max_octets : DEFAULT_OCTETS;
    sek_buf_init(&c->records, c->max_octets);
    sek_buf_init(&c->overrides, SEK_LISTS_MAX * sizeof(struct sek_override));
    enum sek_err err = sek_groups_writer_new(&c->groups, diag);
    if (err == SEK_OK)
        err = sek_nets_writer_new(&c->nets, diag);
    if (err == SEK_OK)
        err = sek_patterns_writer_new(&c->patterns, diag);
    if (err == SEK_OK)
        err = sek_terms_writer_new(&c->terms, diag);
    if (err != SEK_OK) {
        sek_compile_free(c);
        return err;
    }
    *out = c;
    return SEK_OK;
}

struct sek_groups_writer *sek_compile_groups(struct sek_compile *c)
{
    return c->groups;
}

struct sek_nets_writer *sek_compile_nets(struct sek_compile *c)
{
    return c->nets;
}

struct sek_patterns_writer *sek_compile_patterns(struct sek_compile *c)
{
    return c->patterns;
}

void sek_compile_place(struct sek_compile *c, const struct sek_name *owner)
{
    enum sek_about about = sek_about_of(owner);
    c->places.n_asn += about == SEK_ABOUT_ASN;
    c->places.n_country += about == SEK_ABOUT_COUNTRY;
}

struct sek_terms_writer *sek_compile_terms(struct sek_compile *c)
{
    return c->terms;
}

void sek_compile_free(struct sek_compile *c)
{
    if (!c)
        return;
    sek_buf_fini(&c->records);
    sek_buf_fini(&c->overrides);
    sek_groups_writer_free(c->groups);
    sek_nets_writer_free(c->nets);
    sek_patterns_writer_free(c->patterns);
    sek_terms_writer_free(c->terms);
    free(c);
}

enum sek_err sek_compile_override(struct sek_compile *c, uint16_t list,
                                  const struct sek_override_spec *spec, bool zone,
                                  struct sek_diag *diag)
{
    struct sek_override o = {.list = list, .order = zone ? SEK_ORDER_ZONE : 0};
    enum sek_err err = SEK_OK;

    if (!(c->known[list / 8] & 1 << list % 8))
        return sek_diag_set(diag, SEK_E_NOTFOUND, "override of list %u, which is not there", list);
    if (spec) {
        o.action = (uint8_t)spec->action;
        err = sek_terms_writer_add(c->terms, spec->terms, strlen(spec->terms), &o.terms, diag);
    }
    sek_buf_add(&c->overrides, &o, sizeof(o));
    if (err == SEK_OK && c->overrides.failed)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    return err;
}

void sek_compile_answers(struct sek_compile *c, uint16_t list)
{
    c->answers[list / 8] |= (uint8_t)(1 << list % 8);
}

/* [a-z0-9][a-z0-9._-]*, and a terminator within the field. */
static bool is_list_name(const char name[SEK_LIST_NAME_MAX])
{
    size_t len = strnlen(name, SEK_LIST_NAME_MAX);

    return len > 0 && len < SEK_LIST_NAME_MAX && !strchr("._-", name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

enum sek_err sek_compile_list(struct sek_compile *c, const struct sek_list *list,
                              struct sek_diag *diag)
{
    if (!is_list_name(list->name))
        return sek_diag_set(diag, SEK_E_INVALID, "list %u: bad name", list->id);
    if (list->id == 0 || list->mode > SEK_MODE_BLOCK || list->action > SEK_ACTION_TCP_ONLY)
        return sek_diag_set(diag, SEK_E_INVALID, "list %s: bad id, mode or action", list->name);
    if (c->known[list->id / 8] & 1 << list->id % 8)
        return sek_diag_set(diag, SEK_E_EXISTS, "list %s: id %u is taken", list->name, list->id);
    if (c->n_lists == SEK_LISTS_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %d lists", SEK_LISTS_MAX);
    struct sek_list *own = &c->lists[c->n_lists++];
    *own = *list;
    /* nothing of the caller's memory behind the terminator goes into a file */
    memset(own->name + strlen(own->name), 0, SEK_LIST_NAME_MAX - strlen(own->name));
    c->known[list->id / 8] |= (uint8_t)(1 << list->id % 8);
    return SEK_OK;
}

static enum sek_err add(struct sek_compile *c, const uint8_t *wire, size_t len,
                        const struct sek_rule *rule, struct sek_diag *diag)
{
    struct sek_name name;
    size_t n = 1 + len + sizeof(*rule);

    if (sek_name_from_wire(wire, len, &name) != SEK_OK || name.len != len)
        return sek_diag_set(diag, SEK_E_NAME, "malformed domain name");
    if (c->records.len + n + (c->n_records + 1) * WORK_OCTETS > c->max_octets)
        return sek_diag_set(diag, SEK_E_LIMIT, "%zu rules fill the %llu MiB allowed", c->n_records,
                            (unsigned long long)c->max_octets >> 20);
    uint8_t *record = sek_buf_grow(&c->records, n);
    if (!record)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory after %zu rules", c->n_records);
    record[0] = name.len;
    memcpy(record + 1, name.octets, len);
    memcpy(record + 1 + len, rule, sizeof(*rule));
    c->n_records++;
    return SEK_OK;
}

enum sek_err sek_compile_rule(struct sek_compile *c, const uint8_t *name, size_t name_len,
                              const struct sek_rule *rule, struct sek_diag *diag)
{
    struct sek_rule own = *rule;

    if (rule->scope < SEK_SCOPE_EXACT || rule->scope > SEK_SCOPE_BELOW ||
        rule->action > SEK_ACTION_MAX || rule->expires_s < 0)
        return sek_diag_set(diag, SEK_E_INVALID, "bad scope, action or expiry of a rule");
    if (!(c->known[rule->list / 8] & 1 << rule->list % 8))
        return sek_diag_set(diag, SEK_E_NOTFOUND, "no list has id %u", rule->list);
    own.about = SEK_ABOUT_NAME;
    return add(c, name, name_len, &own, diag);
}

enum sek_err sek_compile_removed(struct sek_compile *c, const uint8_t *name, size_t name_len,
                                 struct sek_diag *diag)
{
    enum sek_err err = add(c, name, name_len, &(struct sek_rule){0}, diag);

    c->n_removed += err == SEK_OK;
    return err;
}

/* A record, or the name that stands for all its records, while an image is made. */
struct key {
    uint64_t hash;
    uint64_t at; /* in `records` */
};

struct job {
    const struct sek_compile *c;
    struct sek_image_info info;
    struct sek_hash_key trail_key;
    struct key *keys, *spare; /* one array of records each; then keys is of names */
    size_t n_keys;
    uint32_t *set_of; /* of each name; in the memory of `spare` */
    struct sek_rulesets *sets;
    struct sek_buf code, groups, nets, patterns, places, terms, overrides;
    sek_progress_fn *progress;
    void *arg;
    unsigned told; /* permille */
};

/* Step `i` of `n` of a part of the work that runs from one permille to another. */
static void tell(struct job *job, unsigned from, unsigned to, size_t i, size_t n)
{
    unsigned permille = from + (unsigned)((to - from) * i / (n ? n : 1));

    if (job->progress && permille > job->told)
        job->progress(job->arg, job->told = permille);
}

static const uint8_t *record_at(const struct job *job, uint64_t at)
{
    return (const uint8_t *)job->c->records.data + at;
}

static struct sek_rule rule_of(const uint8_t *record)
{
    struct sek_rule rule;

    memcpy(&rule, record + 1 + record[0], sizeof(rule));
    return rule;
}

/* The records lie in the order of time, the keys in that of hashes: every access waits for memory
 * unless it is announced. */
static void announce(const struct job *job, size_t i)
{
    if (i + 16 < job->n_keys) {
        __builtin_prefetch(record_at(job, job->keys[i + 16].at));
        __builtin_prefetch(record_at(job, job->keys[i + 16].at) + 32);
    }
}

static void name_of(const struct job *job, size_t i, struct sek_name *out)
{
    const uint8_t *record = record_at(job, job->keys[i].at);

    announce(job, i);
    sek_name_from_wire(record + 1, record[0], out); /* checked when it was added */
}

static void hash_records(struct job *job)
{
    struct sek_name name;
    struct sek_trail trail;
    uint64_t at = 0;

    for (size_t i = 0; i < job->n_keys; i++) {
        const uint8_t *record = record_at(job, at);
        sek_name_from_wire(record + 1, record[0], &name);
        sek__trail_make(&job->trail_key, &name, &trail);
        job->keys[i] = (struct key){trail.hash[name.n_labels], at};
        at += 1U + record[0] + sizeof(struct sek_rule);
        tell(job, 0, 200, i, job->n_keys);
    }
}

/* By hash, equal ones in the order they were added: radix sort, lowest octet first. */
static void sort_keys(struct job *job)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t place[256] = {0}, next = 0;
        struct key *sorted = job->spare;

        for (size_t i = 0; i < job->n_keys; i++)
            place[job->keys[i].hash >> shift & 255]++;
        for (unsigned digit = 0; digit < 256; digit++) {
            size_t n = place[digit];
            place[digit] = next;
            next += n;
        }
        for (size_t i = 0; i < job->n_keys; i++)
            sorted[place[job->keys[i].hash >> shift & 255]++] = job->keys[i];
        job->spare = job->keys;
        job->keys = sorted;
        tell(job, 200, 300, shift, 64);
    }
}

static int compare_names(const uint8_t *a, const uint8_t *b)
{
    return *a != *b ? *a - *b : memcmp(a + 1, b + 1, *a);
}

/* By name, list, scope, order of addition. */
static int compare_records(const void *a, const void *b, void *arg)
{
    const struct key *x = a, *y = b;
    const uint8_t *rx = record_at(arg, x->at), *ry = record_at(arg, y->at);
    struct sek_rule p = rule_of(rx), q = rule_of(ry);
    int order = compare_names(rx, ry);

    if (order == 0)
        order = p.list - q.list;
    if (order == 0)
        order = p.scope - q.scope;
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* One more rule for a name; rules come by list, scope, order of addition. */
static void merge(struct sek_rule *rules, unsigned *n, struct sek_rule rule)
{
    struct sek_rule *last = *n ? &rules[*n - 1] : NULL;

    if (rule.scope == 0)
        return;
    if (!last || last->list != rule.list || last->scope != rule.scope) {
        rules[(*n)++] = rule;
        return;
    }
    last->action = rule.action;
    last->terms = rule.terms;
    if (rule.expires_s == 0 || (last->expires_s != 0 && last->expires_s < rule.expires_s))
        last->expires_s = rule.expires_s;
}

/* From records to names: keys[] shrinks to one a name, set_of[] says what rules it has. Records of
 * the same name have the same hash and stand together; other names may be among them, if hardly
 * ever. */
static enum sek_err group_records(struct job *job, struct sek_rule *rules, struct sek_diag *diag)
{
    size_t n_names = 0, end = 0, next;
    unsigned n;

    for (size_t i = 0; i < job->n_keys; i = next) {
        if (i == end) {
            while (end < job->n_keys && job->keys[end].hash == job->keys[i].hash)
                announce(job, end++);
            if (end - i > 1)
                qsort_r(&job->keys[i], end - i, sizeof(*job->keys), compare_records, job);
        }
        const uint8_t *first = record_at(job, job->keys[i].at);
        for (n = 0, next = i; next < end; next++) {
            const uint8_t *record = record_at(job, job->keys[next].at);
            if (compare_names(first, record) != 0)
                break;
            merge(rules, &n, rule_of(record));
        }
        enum sek_err err = sek_rulesets_add(job->sets, rules, n, &job->set_of[n_names], diag);
        if (err != SEK_OK)
            return err;
        job->info.n_rules += n;
        job->keys[n_names++] = job->keys[i];
        tell(job, 300, 550, i, job->n_keys);
    }
    job->info.n_names = job->n_keys = n_names;
    return sek_rulesets_rank(job->sets, diag);
}

static int by_list(const void *a, const void *b)
{
    return ((const struct sek_override *)a)->list - ((const struct sek_override *)b)->list;
}

static const struct sek_list *list_of(const struct sek_compile *c, uint16_t id)
{
    const struct sek_list *list = c->lists;

    while (list->id != id)
        list++;
    return list;
}

/* What stands in the image: overrides, and zones. One that acts and has rules about answers makes
 * those of a lower priority wait. */
static void order_zones(const struct sek_compile *c, struct sek_buf *out)
{
    const struct sek_override *all = (const void *)c->overrides.data;
    size_t n = c->overrides.len / sizeof(*all);
    int64_t answering = INT64_MIN;

    for (size_t i = 0; i < n; i++) {
        const struct sek_list *list = list_of(c, all[i].list);
        if (!all[i].order || list->mode != SEK_MODE_BLOCK)
            continue;
        if ((c->answers[list->id / 8] & 1 << list->id % 8) && list->priority > answering)
            answering = list->priority;
    }
    for (size_t i = 0; i < n; i++) {
        struct sek_override o = all[i];
        if (o.order && list_of(c, o.list)->priority < answering)
            o.order |= SEK_ORDER_WAITS;
        if (o.action || o.order)
            sek_buf_add(out, &o, sizeof(o));
    }
    if (out->len)
        qsort(out->data, out->len / sizeof(*all), sizeof(*all), by_list);
}

/* The first names in the order of hashes are as random a sample as any. */
static enum sek_err design_code(struct job *job, struct sek_diag *diag)
{
    struct sek_census *census = NULL;
    struct sek_name name;
    enum sek_err err = sek_census_new(&census, diag);

    for (size_t i = 0; err == SEK_OK && i < job->n_keys && i < SAMPLE_MAX; i++) {
        name_of(job, i, &name);
        if (!sek_census_add(census, &name))
            err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    }
    if (err == SEK_OK)
        err = sek_census_code(census, &job->code, diag);
    sek_census_free(census);
    return err;
}

static enum sek_err write_image(struct job *job, const char *path, struct sek_diag *diag)
{
    const struct sek_image_parts parts = {.info = &job->info,
                                          .lists = job->c->lists,
                                          .code = &job->code,
                                          .sets = job->sets,
                                          .groups = &job->groups,
                                          .nets = &job->nets,
                                          .patterns = &job->patterns,
                                          .places = &job->places,
                                          .terms = &job->terms,
                                          .overrides = &job->overrides};
    struct sek_image_writer *w = NULL;
    struct sek_name name;
    enum sek_err err = sek_image_writer_new(&parts, &w, diag);

    for (size_t i = 0; err == SEK_OK && i < job->n_keys && i < SAMPLE_MAX; i++) {
        name_of(job, i, &name);
        sek_image_writer_measure(w, &name, sek_rulesets_id(job->sets, job->set_of[i]));
    }
    for (size_t i = 0; err == SEK_OK && i < job->n_keys; i++) {
        name_of(job, i, &name);
        err = sek_image_writer_add(w, &name, job->keys[i].hash,
                                   sek_rulesets_id(job->sets, job->set_of[i]), diag);
        tell(job, 550, 900, i, job->n_keys);
    }
    if (err == SEK_OK)
        err = sek_image_writer_commit(w, path, &job->info.size_octets, diag);
    sek_image_writer_free(w);
    return err;
}

static enum sek_err run(struct job *job, const char *path, struct sek_diag *diag)
{
    struct sek_rule *rules = calloc(SEK_LISTS_MAX * N_SCOPES, sizeof(*rules));
    enum sek_err err = SEK_E_NOMEM;

    job->keys = malloc((job->n_keys + 1) * sizeof(*job->keys));
    job->spare = malloc((job->n_keys + 1) * sizeof(*job->spare));
    if (rules && job->keys && job->spare) {
        hash_records(job);
        sort_keys(job);
        job->set_of = (uint32_t *)(void *)job->spare;
        err = sek_rulesets_new(&job->sets, diag);
    } else {
        sek_diag_set(diag, err, "out of memory");
    }
    if (err == SEK_OK)
        err = group_records(job, rules, diag);
    if (err == SEK_OK)
        err = design_code(job, diag);
    if (err == SEK_OK)
        err = sek_groups_write(job->c->groups, &job->groups, diag);
    if (err == SEK_OK)
        err = sek_nets_write(job->c->nets, &job->nets, diag);
    if (err == SEK_OK)
        err = sek_patterns_write(job->c->patterns, &job->patterns, diag);
    order_zones(job->c, &job->overrides);
    if (job->overrides.failed && err == SEK_OK)
        err = sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    if (job->c->places.n_asn || job->c->places.n_country)
        sek_buf_add(&job->places, &job->c->places, sizeof job->c->places);
    if (err == SEK_OK)
        err = sek_terms_write(job->c->terms, &job->terms, diag);
    if (err == SEK_OK)
        err = write_image(job, path, diag);
    if (err == SEK_OK)
        tell(job, 0, 1000, 1, 1);
    sek_buf_fini(&job->code);
    sek_buf_fini(&job->groups);
    sek_buf_fini(&job->nets);
    sek_buf_fini(&job->patterns);
    sek_buf_fini(&job->places);
    sek_buf_fini(&job->terms);
    sek_buf_fini(&job->overrides);
    sek_rulesets_free(job->sets);
    free(job->spare);
    free(job->keys);
    free(rules);
    return err;
}

enum sek_err sek_compile_write(struct sek_compile *c, const char *path, struct sek_image_info *info,
                               sek_progress_fn *progress, void *arg, struct sek_diag *diag)
{
    struct job job = {.c = c, .n_keys = c->n_records, .progress = progress, .arg = arg};

    if (c->n_removed > 0 && info->base_id == 0)
        return sek_diag_set(diag, SEK_E_INVALID, "only a delta can have removed names");
    job.info = (struct sek_image_info){.base_id = info->base_id,
                                       .generation = info->generation,
                                       .made_s = info->made_s,
                                       .n_lists = c->n_lists};
    while (job.info.id == 0)
        job.info.id = sek_hash_key_random().k0;
    job.trail_key = sek__trail_key(sek_image_seed(job.info.id, job.info.base_id));
    sek_buf_init(&job.code, 0);
    sek_buf_init(&job.groups, 0);
    sek_buf_init(&job.nets, 0);
    sek_buf_init(&job.patterns, 0);
    sek_buf_init(&job.places, 0);
    sek_buf_init(&job.terms, 0);
    sek_buf_init(&job.overrides, 0);
    enum sek_err err = run(&job, path, diag);
    if (err == SEK_OK)
        *info = job.info;
    return err;
}
