/* SPDX-License-Identifier: BSD-3-Clause */
#include "data.h"
#include "base/hash.h"
#include "name/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "base/banned.h"

/* Classes: suffixes that are common enough to have weights of their own. */
#define CLASS_BENIGN_MIN 300
#define CLASS_FAMILIES_MIN 3
#define CLASS_DYNAMIC 1 /* all of them alike: no family shall be known by its provider */
#define SLOTS (1u << 14)

static _Noreturn void die(const char *what, const char *which)
{
    fprintf(stderr, "sektrain: %s: %s\n", which, what);
    exit(1);
}

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t rng_next(struct rng *r)
{
    uint64_t out = rotl(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;

    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rotl(r->s[3], 45);
    return out;
}

void rng_seed(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) { /* splitmix64 */
        uint64_t z = seed += 0x9e3779b97f4a7c15ull;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ z >> 27) * 0x94d049bb133111ebull;
        r->s[i] = z ^ z >> 31;
    }
}

/* --- suffixes --- */

static struct sek_suffix_slot *slot_make(struct data *d, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & (SLOTS - 1), print = (uint32_t)(hash >> 32);

    while (d->slots[i].flags != 0 && d->slots[i].print != print)
        i = (i + 1) & (SLOTS - 1);
    d->slots[i].print = print;
    return &d->slots[i];
}

/* A rule of the list: its labels from the right. Every name on the way gets a slot. */
static void suffix_add(struct data *d, const char *rule, bool dynamic)
{
    struct sek_name name;
    uint64_t hash = SEK_SUFFIX_HASH_START;
    uint8_t flags = (uint8_t)(dynamic ? SEK_SUFFIX_IS | SEK_SUFFIX_DYNAMIC : SEK_SUFFIX_IS);
    struct sek_suffix_slot *slot = NULL;

    if (*rule == '!') {
        flags = SEK_SUFFIX_NOT;
        rule++;
    } else if (rule[0] == '*' && rule[1] == '.') {
        flags = SEK_SUFFIX_WILD | SEK_SUFFIX_IS;
        rule += 2;
    }
    if (sek_name_from_text(rule, strlen(rule), &name, NULL) != SEK_OK)
        return;
    for (unsigned k = name.n_labels; k-- > 0;) {
        if (slot)
            slot->flags |= SEK_SUFFIX_DEEPER;
        hash = sek_suffix_hash(hash, name.octets + name.offset[k]);
        slot = slot_make(d, hash);
        if (slot->flags == 0)
            slot->flags = k ? SEK_SUFFIX_DEEPER : flags;
    }
    slot->flags |= flags;
}

static void suffixes_read(struct data *d, const char *path, bool dynamic)
{
    FILE *f = fopen(path, "r");
    char line[512];
    bool icann = dynamic;

    if (!f)
        die("cannot open", path);
    while (fgets(line, sizeof line, f)) {
        if (!dynamic && strstr(line, "===BEGIN ICANN"))
            icann = true;
        if (!dynamic && strstr(line, "===END ICANN"))
            icann = false;
        line[strcspn(line, " \t\r\n#")] = '\0';
        if (icann && line[0] && line[0] != '/')
            suffix_add(d, line, dynamic);
    }
    fclose(f);
}

/* --- names --- */

static struct item *item_new(struct data *d)
{
    if (d->n == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 1 << 20;
        d->items = realloc(d->items, d->cap * sizeof *d->items);
        if (!d->items)
            die("out of memory", "names");
    }
    memset(&d->items[d->n], 0, sizeof *d->items);
    return &d->items[d->n++];
}

bool data_unit(const struct data *d, const char *text, size_t len, struct sek_unit *out)
{
    struct sek_name name;

    memset(out, 0, sizeof *out);
    if (sek_name_from_text(text, len, &name, NULL) != SEK_OK)
        return false;
    sek_unit_of_name(&d->suffixes, &name, out);
    return out->n > 0;
}

/* The text of the suffix, for the census of classes. */
static const char *suffix_text(const char *name, const struct data *d)
{
    struct sek_name wire;
    struct sek_suffix_cut cut;
    const char *p = name + strlen(name);

    if (sek_name_from_text(name, strlen(name), &wire, NULL) != SEK_OK)
        return "";
    cut = sek_suffixes_cut(&d->suffixes, &wire);
    for (unsigned n = 0; p > name; p--)
        if (p[-1] == '.' && ++n == cut.n_labels)
            break;
    return p;
}

static int family_of(struct data *d, const char *name)
{
    for (int i = 0; i < d->n_families; i++)
        if (strcmp(d->families[i].name, name) == 0)
            return i;
    if (d->n_families == FAMILIES_MAX)
        die("too many families", name);
    snprintf(d->families[d->n_families].name, sizeof d->families[0].name, "%s", name);
    return d->n_families++;
}

/* Classes are given in a pass over the names before the one that stores them. */
#define CENSUS (1u << 15)
struct census {
    struct class c[CENSUS];
};

static struct class *census_at(struct census *census, const char *suffix)
{
    static const struct sek_hash_key key = {1, 2};
    uint32_t i = (uint32_t)sek_hash(&key, suffix, strlen(suffix)) & (CENSUS - 1);

    while (census->c[i].name[0] && strcmp(census->c[i].name, suffix) != 0)
        i = (i + 1) & (CENSUS - 1);
    snprintf(census->c[i].name, sizeof census->c[i].name, "%.23s", suffix);
    return &census->c[i];
}

typedef void line_fn(struct data *d, void *arg, char *name, char *field2, char *field3);

static void each_line(struct data *d, const char *path, line_fn *fn, void *arg)
{
    gzFile f = gzopen(path, "rb");
    char line[1024];

    if (!f)
        die("cannot open", path);
    gzbuffer(f, 1 << 18);
    while (gzgets(f, line, sizeof line)) {
        char *field[4] = {line, "", "", ""};

        line[strcspn(line, "\r\n")] = '\0';
        for (int k = 1; k < 4 && (field[k] = strchr(field[k - 1], '\t')); k++)
            *field[k]++ = '\0';
        if (field[1])
            fn(d, arg, field[0], field[1], field[2] ? field[2] : "");
    }
    gzclose(f);
}

static void count_dga(struct data *d, void *arg, char *name, char *family, char *unused)
{
    struct class *c = census_at(arg, suffix_text(name, d));
    int f = family_of(d, family);

    (void)unused;
    if (!d->families[f].held)
        c->mask[f / 64] |= 1ull << f % 64;
}

static void count_benign(struct data *d, void *arg, char *name, char *rank, char *kind)
{
    (void)rank;
    if (strcmp(kind, "reg") == 0)
        census_at(arg, suffix_text(name, d))->n_benign++;
}

static void class_give(struct data *d, struct class *c)
{
    struct sek_name name;
    uint64_t hash = SEK_SUFFIX_HASH_START;
    struct sek_suffix_slot *slot;

    if (d->n_classes == CLASSES_MAX ||
        sek_name_from_text(c->name, strlen(c->name), &name, NULL) != SEK_OK)
        return;
    for (unsigned k = name.n_labels; k-- > 0;)
        hash = sek_suffix_hash(hash, name.octets + name.offset[k]);
    slot = slot_make(d, hash);
    if (!(slot->flags & SEK_SUFFIX_IS))
        return;
    if (slot->flags & SEK_SUFFIX_DYNAMIC)
        return; /* has the common class of all of them already */
    slot->class_id = (uint8_t)d->n_classes;
    d->classes[d->n_classes++] = *c;
}

static int by_use(const void *a, const void *b)
{
    const struct class *x = a, *y = b;

    return x->n_benign < y->n_benign   ? 1
           : x->n_benign > y->n_benign ? -1
                                       : strcmp(x->name, y->name);
}

static void classes_give(struct data *d, const struct sources *s)
{
    struct census *census = calloc(1, sizeof *census);

    each_line(d, s->dga, count_dga, census);
    each_line(d, s->benign, count_benign, census);
    qsort(census->c, CENSUS, sizeof census->c[0], by_use);
    snprintf(d->classes[0].name, sizeof d->classes[0].name, "(other)");
    snprintf(d->classes[CLASS_DYNAMIC].name, sizeof d->classes[0].name, "(dynamic DNS)");
    d->classes[CLASS_DYNAMIC].dynamic = true;
    d->n_classes = 2;
    for (uint32_t i = 0; i < SLOTS; i++)
        if (d->slots[i].flags & SEK_SUFFIX_DYNAMIC)
            d->slots[i].class_id = CLASS_DYNAMIC;
    for (int i = 0; i < (int)CENSUS; i++) {
        struct class *c = &census->c[i];

        c->n_families =
            (uint32_t)(__builtin_popcountll(c->mask[0]) + __builtin_popcountll(c->mask[1]));
        if (c->name[0] && (c->n_benign >= CLASS_BENIGN_MIN || c->n_families >= CLASS_FAMILIES_MIN))
            class_give(d, c);
    }
    free(census);
}

static void store(struct data *d, const char *name, int family)
{
    static const struct sek_hash_key key = {0x73656b, 7};
    struct sek_unit u;
    struct item *it;

    if (!data_unit(d, name, strlen(name), &u))
        return;
    it = item_new(d);
    it->family = (int16_t)family;
    it->n = u.n;
    it->class_id = u.class_id;
    it->test = sek_hash(&key, u.sym, u.n) % 10 == 0;
    it->adjusts = sek_hash(&key, u.sym, u.n) / 10 % 2 == 0;
    it->weight = 1;
    memcpy(it->sym, u.sym, u.n);
    if (d->kept && data_measures(d, it))
        fprintf(d->kept, "%s\t%s\n", name, family == BENIGN ? "benign" : d->families[family].name);
}

static void store_dga(struct data *d, void *arg, char *name, char *family, char *unused)
{
    (void)arg;
    (void)unused;
    store(d, name, family_of(d, family));
}

static void store_benign(struct data *d, void *arg, char *name, char *rank, char *kind)
{
    (void)arg;
    (void)rank;
    if (strcmp(kind, "reg") == 0)
        store(d, name, BENIGN);
}

static void hold(struct data *d, const char *list)
{
    char copy[2048];

    snprintf(copy, sizeof copy, "%s", list ? list : "");
    for (char *save, *w = strtok_r(copy, ",", &save); w; w = strtok_r(NULL, ",", &save))
        d->families[family_of(d, w)].held = true;
}

/* How often a family has a unit. More than a few times: its names are hosts below one registered
 * domain of somebody else (a code host's, say), and that says nothing of the domain. */
#define SAME_MAX 4
#define SAME (1u << 20)

static uint64_t unit_key(const struct item *it)
{
    static const struct sek_hash_key key = {5, 6};
    uint8_t octets[SEK_LABEL_MAX + 4] = {(uint8_t)it->family, it->class_id, it->n};

    memcpy(octets + 3, it->sym, it->n);
    return sek_hash(&key, octets, 3u + it->n);
}

static void drop_hosts(struct data *d)
{
    uint8_t *count = calloc(SAME, 1);
    uint32_t n_dropped = 0;

    for (uint32_t i = 0; i < d->n; i++)
        if (d->items[i].family != BENIGN) {
            uint8_t *c = &count[unit_key(&d->items[i]) & (SAME - 1)];

            *c = *c < 255 ? (uint8_t)(*c + 1) : *c;
        }
    for (uint32_t i = 0; i < d->n; i++) {
        struct item *it = &d->items[i];

        if (it->family != BENIGN && count[unit_key(it) & (SAME - 1)] > SAME_MAX) {
            it->weight = 0;
            n_dropped++;
        }
    }
    free(count);
    printf("%u generated names left out: hosts below one registered domain\n", n_dropped);
}

static bool is_in(const struct data *d, const struct item *it, enum set set)
{
    if (it->weight == 0)
        return false;
    return set == SET_ALL || (set == SET_ADJUST ? data_adjusts(d, it) : !it->test);
}

void data_divide(struct data *d, enum set set)
{
    d->n_benign = 0;
    for (int f = 0; f < d->n_families; f++)
        d->families[f].n_train = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        const struct item *it = &d->items[i];
        struct family *f = it->family == BENIGN ? NULL : &d->families[it->family];

        if (!is_in(d, it, set))
            continue;
        if (!f)
            d->benign[d->n_benign++] = i;
        else if (!f->held)
            f->train[f->n_train++] = i;
    }
}

void data_read(struct data *d, const struct sources *s)
{
    memset(d, 0, sizeof *d);
    d->slots = calloc(SLOTS, sizeof *d->slots);
    d->suffixes = (struct sek_suffixes){d->slots, SLOTS - 1};
    suffixes_read(d, s->suffixes, false);
    suffixes_read(d, s->dynamic, true);
    hold(d, s->held);
    classes_give(d, s);
    if (s->kept && !(d->kept = fopen(s->kept, "w")))
        die("cannot write", s->kept);
    each_line(d, s->dga, store_dga, NULL);
    each_line(d, s->benign, store_benign, NULL);
    if (d->kept && fclose(d->kept) != 0)
        die("cannot write", s->kept);
    drop_hosts(d);
    d->benign = malloc(d->n * sizeof *d->benign);
    for (int f = 0; f < d->n_families; f++)
        d->families[f].train = malloc(d->n * sizeof(uint32_t) / 8);
    data_divide(d, s->all ? SET_ALL : SET_TRAIN);
}
