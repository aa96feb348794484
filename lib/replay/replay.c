/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay/replay.h"
#include "name/special.h"
#include "verdict/detect.h"
#include "verdict/engine.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define TALLY_OCTETS (16ull << 20) /* small enough for a cache; some minutes of a busy site */
#define BATCH 64 /* judged before they are counted, so memory is asked for ahead */
#define METS_MAX 1024
#define KEY ((struct sek_hash_key){0x73656b6973686f21, 0x7265706c61793131})

struct sek_replay {
    struct sek_replay_site site;
    struct sek_replay_hooks hooks;
    struct sek_detect detect;
    struct sek_memo *memo, *memo_ahead; /* the latter of sek_replay_score's thread */
    struct sek_tally *tally;
    struct sek_scene *scene;
    struct sek_hash_key key;      /* of what is counted only: random */
    struct sek_dynamic *in_force; /* blocks of findings by the detectors' modes */
    struct sek_dynamic *would;    /* by all of them */
    _Atomic int64_t full_s;
    bool learned, begun;
    enum sek_err err; /* of a hook, called from within the scene */
    struct sek_diag diag;
    struct sek_replay_sum total, file;
    struct sek_replay_met *mets;
    unsigned n_mets;
    struct sek_replay_block *blocks;
    struct sek_dynamic_row *rows; /* the same, as sek_dynamic_new wants them */
    unsigned n_blocks;
    uint64_t n_dismissed;
};

static void fail(struct sek_replay *r, enum sek_err err)
{
    if (r->err == SEK_OK)
        r->err = err;
}

/* --- blocks of findings ------------------------------------------------------------------------
 */

static struct sek_replay_block *block_of(struct sek_replay *r, const uint8_t *domain, size_t len)
{
    for (unsigned i = r->n_blocks; i-- > 0;)
        if (r->blocks[i].len == len && memcmp(r->blocks[i].domain, domain, len) == 0)
            return &r->blocks[i];
    return NULL;
}

/* Past SEK_DYNAMIC_MAX domains no more are added. Out of memory: the set stays as it is. */
static void would_block(struct sek_replay *r, const struct sek_finding *f)
{
    struct sek_replay_block *b = block_of(r, f->domain, f->domain_len);
    int64_t now_s = f->end_ms / 1000;
    struct sek_name domain;
    struct sek_dynamic *set;
    if (sek_name_from_wire(f->domain, f->domain_len, &domain) != SEK_OK)
        return;
    if (!b && r->n_blocks == SEK_DYNAMIC_MAX)
        return;
    if (!b) {
        b = &r->blocks[r->n_blocks++];
        *b = (struct sek_replay_block){
            .by = f->detector, .endpoint = f->endpoint, .len = f->domain_len, .from_s = now_s};
        memcpy(b->domain, f->domain, f->domain_len);
    }
    b->until_s = now_s + sek_detector_lifetime_s(r->site.conf, f->detector);
    b->in_force |= f->blocked_until_s > 0;
    sek_dynamic_row_set(&r->rows[b - r->blocks], &domain,
                        sek_lookup_name(sek_detector_names, (int)b->by), b->until_s);
    if (sek_dynamic_new(r->rows, r->n_blocks, &set) != SEK_OK)
        return;
    sek_dynamic_free(r->would);
    r->would = set;
}

/* Was it let through only because no detector blocks? Rules and exceptions stand above them. */
static void count_would(struct sek_replay *r, const struct sek_name *name, int64_t now_s,
                        const struct sek_verdict *v)
{
    unsigned depth;
    const struct sek_dynamic_row *row = sek_dynamic_find(r->would, name, now_s, &depth);
    bool by_rule = (v->trigger == SEK_TRIGGER_QNAME || v->trigger == SEK_TRIGGER_REGEX) &&
                   (sek_action_blocks(v->action) || v->would == SEK_ACTION_PASSTHRU);
    struct sek_replay_block *b = row && !by_rule ? block_of(r, row->domain, row->len) : NULL;
    if (b)
        b->n_queries++;
}

/* --- what the scene says -----------------------------------------------------------------------
 */

static void on_finding(void *arg, const struct sek_finding *f, bool may_block)
{
    struct sek_replay *r = arg;
    if (may_block)
        would_block(r, f);
    if (r->hooks.finding && r->err == SEK_OK)
        fail(r, r->hooks.finding(r->hooks.arg, f, &r->diag));
}

static void on_first(void *arg, const struct sek_event *e)
{
    struct sek_replay *r = arg;
    if (r->hooks.first && r->err == SEK_OK)
        fail(r, r->hooks.first(r->hooks.arg, e, &r->diag));
}

static void on_dismissed(void *arg, const struct sek_finding *f)
{
    struct sek_replay *r = arg;
    (void)f;
    r->n_dismissed++;
}

static void on_response(void *arg, const struct sek_response *one)
{
    struct sek_replay *r = arg;
    if (r->hooks.response && r->err == SEK_OK)
        fail(r, r->hooks.response(r->hooks.arg, one, &r->diag));
}

static void on_blocked(void *arg, struct sek_dynamic *set)
{
    struct sek_replay *r = arg;
    sek_dynamic_free(r->in_force);
    r->in_force = set;
}

/* --- judging -----------------------------------------------------------------------------------
 */

static struct sek_replay_met *met_of(struct sek_replay *r, const struct sek_verdict *v)
{
    bool blocked = sek_action_blocks(v->action);
    for (unsigned i = 0; i < r->n_mets; i++) {
        struct sek_replay_met *m = &r->mets[i];
        if (m->trigger == v->trigger && m->list == v->list && m->would == v->would &&
            m->blocked == blocked && strcmp(m->by, v->list_name) == 0)
            return m;
    }
    if (r->n_mets == METS_MAX)
        return NULL;
    struct sek_replay_met *m = &r->mets[r->n_mets++];
    *m = (struct sek_replay_met){
        .trigger = v->trigger, .list = v->list, .would = v->would, .blocked = blocked};
    memcpy(m->by, v->list_name, sizeof m->by);
    return m;
}

/* As the module records it: what is blocked got no answer. */
static void make_hit(struct sek_replay *r, struct sek_event *e, const struct sek_verdict *v)
{
    bool blocked = sek_action_blocks(v->action);
    struct sek_replay_met *met = met_of(r, v);
    sek_event_set_hit(e, v);
    if (met) {
        met->n_queries++;
        sek_distinct_add(&met->endpoints, sek_hash(&r->key, &e->endpoint, sizeof e->endpoint));
    }
    r->file.n_blocked += blocked;
    r->file.n_recorded += !blocked;
    r->total.n_blocked += blocked;
    r->total.n_recorded += !blocked;
    if (!blocked)
        return;
    e->existence = SEK_EXISTENCE_UNKNOWN;
    e->ttl_s = e->answer_octets = 0;
    e->servers_octets = 0;
    e->n_addrs = e->n_ns_addrs = 0;
    e->size = sek_event_size(e->name_len, 0);
}

/* score: what is known of it; what comes to be known is returned: length 0: nothing. */
static struct sek_score judge(struct sek_replay *r, struct sek_event *e,
                              const struct sek_score *score)
{
    const struct sek_engine engine = {.policy = r->site.policy,
                                      .dynamic = r->in_force,
                                      .own = r->site.never,
                                      .canary = r->site.conf->bypass.canary,
                                      .asking = {.endpoint = &e->endpoint, .qtype = e->qtype}};
    int64_t now_s = e->time_ms / 1000;
    struct sek_detect_begun begun;
    struct sek_detect_why why;
    struct sek_verdict v;
    struct sek_name name;
    if (sek_name_from_wire(e->names, e->name_len, &name) != SEK_OK)
        return (struct sek_score){.length = 0};
    sek_detect_begin(&r->detect, &name, now_s, &begun);
    begun.score = score;
    sek_engine_decide(&engine, &name, now_s, SEK_TRIGGER_QNAME, &v, NULL, NULL);
    sek_detect_end(&r->detect, r->memo, &name, now_s, &begun, &v, &why);
    e->score = v.score > SEK_CLASSIFY_NONE ? sek_score_of(v.score) : SEK_SCORE_UNKNOWN;
    if (r->would)
        count_would(r, &name, now_s, &v);
    if (sek_verdict_is_hit(&v))
        make_hit(r, e, &v);
    return why.score;
}

bool sek_replay_score(struct sek_replay *r, struct sek_event *const *events, unsigned n,
                      struct sek_score *out)
{
    if (!r->detect.classify || r->detect.mode == SEK_MODE_OFF)
        return false;
    for (unsigned i = 0; i < n; i++) {
        struct sek_name name;
        if (sek_name_from_wire(events[i]->names, events[i]->name_len, &name) == SEK_OK)
            out[i] = sek_memo_score(r->memo_ahead, r->detect.classify, &name);
    }
    return true;
}

/* --- counting ----------------------------------------------------------------------------------
 */

static void sum_add(struct sek_replay_sum *s, const struct sek_event *e)
{
    if (s->n_records == 0 || e->time_ms < s->first_ms)
        s->first_ms = e->time_ms;
    if (s->n_records == 0 || e->time_ms > s->last_ms)
        s->last_ms = e->time_ms;
    s->n_records++;
}

/* An endpoint and a domain that did not meet in this minute yet. */
static void sum_first(struct sek_replay *r, const struct sek_event *e,
                      const struct sek_tally_note *note)
{
    uint64_t endpoint = sek_hash(&r->key, &e->endpoint, sizeof e->endpoint);
    if (sek_distinct_add(&r->file.endpoints, endpoint))
        sek_distinct_add(&r->total.endpoints, endpoint);
    if (!note->has_domain)
        return;
    const uint8_t *at = sek_name_skip(e->names, note->domain_labels);
    uint64_t domain = sek_hash(&r->key, at, (size_t)(e->name_len - (at - e->names)));
    if (sek_distinct_add(&r->file.domains, domain))
        sek_distinct_add(&r->total.domains, domain);
}

static void look(struct sek_replay *r, struct sek_event *e, const struct sek_tally_note *note,
                 const struct sek_score *score)
{
    sum_add(&r->file, e);
    sum_add(&r->total, e);
    if (note->first)
        sum_first(r, e, note);
    enum sek_scene_want want = sek_scene_wants(r->scene, e, note);
    if (want == SEK_SCENE_NO)
        return;
    e->domain_labels = note->domain_labels;
    e->repeat = want == SEK_SCENE_REPEAT;
    sek_scene_see(r->scene, e, r->site.classify, score->length ? score : NULL);
}

static void see_batch(struct sek_replay *r, struct sek_event *const *events,
                      const struct sek_score *scores, unsigned n)
{
    const struct sek_event *seen[BATCH];
    struct sek_tally_note notes[BATCH];
    struct sek_score known[BATCH];
    for (unsigned i = 0; i < n; i++) {
        known[i] = judge(r, events[i], scores ? &scores[i] : NULL);
        seen[i] = events[i];
    }
    sek_tally_add_all(r->tally, seen, n, notes);
    for (unsigned i = 0; i < n; i++)
        look(r, events[i], &notes[i], &known[i]);
}

/* The history begins here; one that was learned before counts as long enough. */
static void begin(struct sek_replay *r, const struct sek_event *e)
{
    int64_t before_s = r->learned ? r->site.conf->domains.warm_up_s : 0;
    r->begun = true;
    sek_domains_set_since(r->site.domains, e->time_ms / 1000 - before_s);
}

enum sek_err sek_replay_see(struct sek_replay *r, struct sek_event *const *events,
                            const struct sek_score *scores, unsigned n, struct sek_diag *diag)
{
    if (!r->begun && n)
        begin(r, events[0]);
    for (unsigned i = 0; i < n && r->err == SEK_OK; i += BATCH)
        see_batch(r, events + i, scores ? scores + i : NULL, n - i < BATCH ? n - i : BATCH);
    if (r->err == SEK_OK && sek_tally_octets(r->tally) > TALLY_OCTETS / 2)
        return sek_replay_flush(r, diag);
    if (r->err != SEK_OK && diag)
        *diag = r->diag;
    return r->err;
}

enum sek_err sek_replay_flush(struct sek_replay *r, struct sek_diag *diag)
{
    struct sek_tally_batch *batch = NULL;
    if (r->err == SEK_OK && sek_tally_take(r->tally, true, &batch) != SEK_OK)
        fail(r, sek_diag_set(&r->diag, SEK_E_NOMEM, "out of memory"));
    for (const struct sek_tally_traffic *row = batch ? batch->traffic : NULL; row; row = row->next)
        sek_scene_count(r->scene, row, (uint32_t)sek_tally_sum(row));
    if (r->err == SEK_OK && batch && r->hooks.sums)
        fail(r, r->hooks.sums(r->hooks.arg, batch, &r->diag));
    sek_tally_batch_free(batch);
    if (r->err != SEK_OK && diag)
        *diag = r->diag;
    return r->err;
}

/* --- learning ----------------------------------------------------------------------------------
 */

/* Nobody knows how long a domain was there before the first record that is learned: none of them is
 * to count as new, so it is said to be older than all that counts as that. */
static int64_t old_s(const struct sek_replay *r)
{
    const struct sek_conf *conf = r->site.conf;
    int64_t most_s = conf->domains.new_s;
    most_s = conf->beacon.new_s > most_s ? conf->beacon.new_s : most_s;
    return conf->nod.hold_s > most_s ? conf->nod.hold_s : most_s;
}

static void learn(struct sek_replay *r, const struct sek_event *e)
{
    struct sek_name name;
    if (e->existence == SEK_EXISTENCE_UNKNOWN ||
        sek_name_from_wire(e->names, e->name_len, &name) != SEK_OK || sek_name_is_special(&name))
        return;
    int labels = sek_suffix_registered(r->site.suffix, &name);
    if (labels < 0)
        return;
    bool exists = e->existence == SEK_EXISTENCE_EXISTS;
    const uint8_t *domain = name.octets + name.offset[labels];
    size_t len = (size_t)(name.len - name.offset[labels]);
    int64_t now_s = e->time_ms / 1000;
    if (sek_domains_note(r->site.domains, domain, len, &e->endpoint, now_s, exists, NULL) ==
        SEK_DOMAINS_NEW)
        sek_domains_note(r->site.domains, domain, len, &e->endpoint, now_s - old_s(r), exists,
                         NULL);
}

void sek_replay_learn(struct sek_replay *r, struct sek_event *const *events, unsigned n)
{
    r->learned |= n > 0;
    for (unsigned i = 0; i < n; i++)
        learn(r, events[i]);
}

/* --- looks -------------------------------------------------------------------------------------
 */

const struct sek_replay_sum *sek_replay_total(const struct sek_replay *r)
{
    return &r->total;
}

const struct sek_replay_sum *sek_replay_file(const struct sek_replay *r)
{
    return &r->file;
}

void sek_replay_next_file(struct sek_replay *r)
{
    struct sek_distinct endpoints = r->file.endpoints, domains = r->file.domains;
    sek_distinct_clear(&endpoints);
    sek_distinct_clear(&domains);
    r->file = (struct sek_replay_sum){.endpoints = endpoints, .domains = domains};
}

const struct sek_replay_met *sek_replay_mets(const struct sek_replay *r, unsigned *out_n)
{
    *out_n = r->n_mets;
    return r->mets;
}

const struct sek_replay_block *sek_replay_blocks(const struct sek_replay *r, unsigned *out_n)
{
    *out_n = r->n_blocks;
    return r->blocks;
}

int64_t sek_replay_settled_s(const struct sek_replay *r)
{
    return sek_domains_since_s(r->site.domains) + r->site.conf->domains.warm_up_s;
}

uint64_t sek_replay_dismissed(const struct sek_replay *r)
{
    return r->n_dismissed;
}

uint64_t sek_replay_lost(const struct sek_replay *r)
{
    uint64_t hits, traffic;
    sek_tally_lost(r->tally, &hits, &traffic);
    return hits + traffic;
}

/* --- life --------------------------------------------------------------------------------------
 */

/* Has every domain of the history been found by the list that is in use? */
static bool is_same_list(const struct sek_domains *domains)
{
    struct sek_domains_stats stats;
    sek_domains_stats(domains, &stats);
    return *stats.psl_first && strcmp(stats.psl_first, stats.psl_last) == 0;
}

static void detect_init(struct sek_replay *r)
{
    r->detect = (struct sek_detect){.domains = r->site.domains,
                                    .suffix = r->site.suffix,
                                    .never = r->site.never,
                                    .nod_exclude = r->site.nod_exclude,
                                    .full_s = &r->full_s,
                                    .same_list = is_same_list(r->site.domains)};
    sek_detect_configure(&r->detect, r->site.conf, r->site.classify);
}

static enum sek_err parts_new(struct sek_replay *r, struct sek_diag *diag)
{
    const struct sek_scene_site site = {.conf = r->site.conf,
                                        .never = r->site.never,
                                        .full_s = &r->full_s,
                                        .geo = r->site.geo,
                                        .dismissed = r->site.dismissed,
                                        .key = KEY,
                                        .eager = true};
    const struct sek_scene_hooks hooks = {.arg = r,
                                          .finding = on_finding,
                                          .first = on_first,
                                          .response = on_response,
                                          .blocked = on_blocked,
                                          .dismissed = on_dismissed};
    r->mets = calloc(METS_MAX, sizeof *r->mets);
    r->blocks = calloc(SEK_DYNAMIC_MAX, sizeof *r->blocks);
    r->rows = calloc(SEK_DYNAMIC_MAX, sizeof *r->rows);
    r->memo = sek_memo_new(sek_hash_key_random());
    r->memo_ahead = sek_memo_new(sek_hash_key_random());
    if (!r->mets || !r->blocks || !r->rows || !r->memo || !r->memo_ahead ||
        sek_tally_new(TALLY_OCTETS, r->site.suffix, &r->tally) != SEK_OK)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    return sek_scene_new(&site, &hooks, &r->scene, diag);
}

enum sek_err sek_replay_new(const struct sek_replay_site *site,
                            const struct sek_replay_hooks *hooks, struct sek_replay **out,
                            struct sek_diag *diag)
{
    struct sek_replay *r = calloc(1, sizeof *r);
    if (!r)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory");
    r->site = *site;
    r->hooks = *hooks;
    r->key = sek_hash_key_random();
    r->full_s = INT64_MIN / 2; /* never: also for records of 1970 */
    detect_init(r);
    enum sek_err err = parts_new(r, diag);
    if (err != SEK_OK) {
        sek_replay_free(r);
        return err;
    }
    sek_scene_history(r->scene, site->domains);
    *out = r;
    return SEK_OK;
}

static void sum_fini(struct sek_replay_sum *s)
{
    sek_distinct_fini(&s->endpoints);
    sek_distinct_fini(&s->domains);
}

void sek_replay_free(struct sek_replay *r)
{
    if (!r)
        return;
    sek_scene_free(r->scene);
    sek_tally_free(r->tally);
    sek_memo_free(r->memo);
    sek_memo_free(r->memo_ahead);
    sek_dynamic_free(r->in_force);
    sek_dynamic_free(r->would);
    for (unsigned i = 0; i < r->n_mets; i++)
        sek_distinct_fini(&r->mets[i].endpoints);
    sum_fini(&r->total);
    sum_fini(&r->file);
    free(r->mets);
    free(r->blocks);
    free(r->rows);
    free(r);
}
