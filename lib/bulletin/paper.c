/* SPDX-License-Identifier: BSD-3-Clause */
#include "bulletin/paper.h"
#include "bulletin/paper_parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

const struct sek_lookup sek_for_names[] = {
    {SEK_FOR_SOC, "soc"}, {SEK_FOR_MANAGERS, "managers"}, {0, NULL}};

/* --- building ----------------------------------------------------------------------------------
 */

static const char *text_of(const struct sek_paper *p, const char *format, const char *key)
{
    char full[96];
    snprintf(full, sizeof full, format, key);
    return sek_lang_find(p->lang, full);
}

struct sek_sheet *sek__paper_sheet(struct sek_paper *p, const char *key)
{
    struct sek_sheet *s = &p->sheets[p->n_sheets++];
    *s = (struct sek_sheet){.key = key, .bar = -1};
    sek_buf_init(&s->cells, 0);
    s->title = text_of(p, "%s.title", key);
    s->intro = text_of(p, "%s.intro", key);
    s->none = text_of(p, "%s.none", key);
    return s;
}

void sek__paper_col(struct sek_paper *p, struct sek_sheet *s, const char *key,
                    enum sek_sheet_kind kind, enum sek_sheet_place place)
{
    const char *title = text_of(p, "col.%s", key);
    s->cols[s->n_cols++] = (struct sek_sheet_col){key, title ? title : key, kind, place};
}

static void put(struct sek_sheet *s, struct sek_sheet_cell cell)
{
    sek_buf_add(&s->cells, &cell, sizeof cell);
    s->n_rows = (unsigned)(s->cells.len / sizeof cell / s->n_cols);
}

void sek__paper_text(struct sek_paper *p, struct sek_sheet *s, const char *text)
{
    const char *key = s->cols[s->cells.len / sizeof(struct sek_sheet_cell) % s->n_cols].key;
    bool hidden = false;
    if (s->cells.len % (sizeof(struct sek_sheet_cell) * s->n_cols) == 0)
        p->hidden = false; /* a row begins */
    if (*text)
        text = p->veil(p->veil_arg, text, &hidden);
    p->hidden = p->hidden || hidden;
    if (p->hidden && strcmp(key, "machine") == 0)
        text = ""; /* it stands behind its endpoint */
    struct sek_sheet_cell cell = {.set = *text != '\0', .text = p->texts.len};
    if (cell.set)
        sek_buf_add(&p->texts, text, strlen(text) + 1);
    put(s, cell);
}

void sek__paper_count(struct sek_sheet *s, uint64_t n)
{
    put(s, (struct sek_sheet_cell){.set = true, .n = n});
}

void sek__paper_count_if(struct sek_sheet *s, bool known, uint64_t n)
{
    put(s, (struct sek_sheet_cell){.set = known, .n = n});
}

void sek__paper_share(struct sek_sheet *s, uint64_t n, uint64_t of)
{
    put(s, (struct sek_sheet_cell){.set = of > 0, .share = of ? (double)n / (double)of : 0});
}

void sek__paper_real(struct sek_sheet *s, double share)
{
    put(s, (struct sek_sheet_cell){.set = true, .share = share});
}

void sek__paper_time(struct sek_sheet *s, int64_t time_s)
{
    put(s, (struct sek_sheet_cell){.set = time_s != 0, .n = (uint64_t)time_s});
}

void sek__paper_flag(struct sek_sheet *s, bool yes)
{
    put(s, (struct sek_sheet_cell){.set = true, .n = yes});
}

/* --- above the sheets --------------------------------------------------------------------------
 */

static void add_zone(const struct sek_bulletin *b, struct sek_buf *out)
{
    int minutes = (int)(sek_when_local(b->since_s, b->zone) - b->since_s) / 60;
    if (minutes)
        sek_buf_add_fmt(out, " (UTC%c%02d:%02d)", minutes < 0 ? '-' : '+', abs(minutes) / 60,
                        abs(minutes) % 60);
}

static void make_period(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    struct sek_buf from, until;
    int64_t first_s = sek_when_local(b->since_s, b->zone),
            end_s = sek_when_local(b->until_s, b->zone);
    bool days = first_s % 86400 == 0 && end_s % 86400 == 0;
    bool one = days && end_s - first_s == 86400;
    const char *pattern = one ? "date" : days ? "date.short" : "time";
    sek_buf_init(&from, 0);
    sek_buf_init(&until, 0);
    sek_lang_time(p->lang, &from, pattern, days ? first_s : b->since_s);
    sek_lang_time(p->lang, &until, pattern, days ? end_s - 1 : b->until_s);
    if (one)
        sek_buf_add_text(&p->period, from.data ? from.data : "");
    else
        SEK_SAY(p->lang, &p->period, "period", {"from", from.data ? from.data : ""},
                {"until", until.data ? until.data : ""});
    if (days)
        add_zone(b, &p->period);
    sek_buf_fini(&from);
    sek_buf_fini(&until);
}

static void make_made(struct sek_paper *p)
{
    struct sek_buf when;
    sek_buf_init(&when, 0);
    sek_lang_time(p->lang, &when, "time", p->b->made_s);
    SEK_SAY(p->lang, &p->made, "made", {"time", when.data ? when.data : ""});
    sek_buf_fini(&when);
}

/* The list or detector whose hits changed most, for the better or the worse. */
static const struct sek_bulletin_top *mover(const struct sek_bulletin *b)
{
    const struct sek_bulletin_top *best = NULL;
    uint64_t most = 0;
    for (unsigned i = 0; i < b->n_deciders; i++) {
        const struct sek_bulletin_top *d = &b->deciders[i];
        uint64_t change = d->hits > d->before ? d->hits - d->before : d->before - d->hits;
        if (change > most) {
            most = change;
            best = d;
        }
    }
    return best;
}

static void say_hits(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    uint64_t now = b->now.sums.hits, before = b->before.sums.hits;
    uint64_t change = now > before ? now - before : before - now;
    char percent[SEK_LANG_NUMBER_MAX];
    const char *key = "summary.first";
    struct sek_buf hits;
    sek_buf_init(&hits, 0);
    sek_lang_count(p->lang, &hits, "hits.n", now);
    if (b->has_before)
        key = before == 0    ? "summary.new"
              : change == 0  ? "summary.same"
              : now > before ? "summary.more"
                             : "summary.fewer";
    if (now == 0)
        key = b->has_before && before ? "summary.gone" : "summary.none";
    SEK_SAY(p->lang, &p->summary, key, {"hits", hits.data ? hits.data : ""},
            {"percent",
             sek_lang_percent(p->lang, before ? (double)change / (double)before : 0, percent)});
    sek_buf_fini(&hits);
}

/* One sentence: what changed against the period before, by what, and what there is to do. */
static void make_summary(struct sek_paper *p)
{
    const struct sek_bulletin *b = p->b;
    const struct sek_bulletin_top *m = b->has_before ? mover(b) : NULL;
    char now[SEK_LANG_NUMBER_MAX], before[SEK_LANG_NUMBER_MAX];
    unsigned n_serious = 0;
    say_hits(p);
    if (m)
        SEK_SAY(p->lang, &p->summary, "summary.mover", {"name", m->key},
                {"now", sek_lang_number(p->lang, m->hits, now)},
                {"before", sek_lang_number(p->lang, m->before, before)});
    sek_lang_count(p->lang, &p->summary, "summary.findings", b->now.n_findings);
    for (unsigned i = 0; i < b->n_blind; i++)
        n_serious += b->blind[i].serious;
    if (n_serious)
        sek_lang_count(p->lang, &p->summary, "summary.blind", n_serious);
    sek_buf_add_text(&p->summary, sek_lang_text(p->lang, "summary.end"));
}

static void figure(struct sek_paper *p, const char *key, uint64_t n, uint64_t before)
{
    const char *label = text_of(p, "figure.%s", key);
    p->figures[p->n_figures++] = (struct sek_figure){key, label ? label : key, n, before};
}

static void make_figures(struct sek_paper *p)
{
    const struct sek_bulletin_total *now = &p->b->now, *before = &p->b->before;
    figure(p, "hits", now->sums.hits, before->sums.hits);
    figure(p, "blocked", now->sums.blocked, before->sums.blocked);
    figure(p, "endpoints", now->sums.n_endpoints, before->sums.n_endpoints);
    figure(p, "findings", now->n_findings, before->n_findings);
    figure(p, "new_domains", now->n_new_domains, before->n_new_domains);
    figure(p, "queries", now->sums.queries, before->sums.queries);
}

/* --- all ---------------------------------------------------------------------------------------
 */

static void hide(struct sek_paper *p, struct sek_buf *text)
{
    bool hidden = false;
    const char *shown = text->len ? p->veil(p->veil_arg, text->data, &hidden) : NULL;
    if (!hidden)
        return;
    sek_buf_reset(text);
    sek_buf_add_text(text, shown);
}

enum sek_err sek_paper_make(const struct sek_bulletin *b, const struct sek_lang *lang,
                            enum sek_audience_kind audience, sek_paper_veil_fn *veil, void *arg,
                            struct sek_paper *out, struct sek_diag *diag)
{
    char key[32];
    bool failed = false;
    *out = (struct sek_paper){
        .lang = lang, .b = b, .audience = audience, .veil = veil, .veil_arg = arg};
    sek_buf_init(&out->texts, 0);
    sek_buf_init(&out->title, 0);
    sek_buf_init(&out->period, 0);
    sek_buf_init(&out->summary, 0);
    sek_buf_init(&out->made, 0);
    snprintf(key, sizeof key, "title.%s", sek_lookup_name(sek_bulletin_kind_names, (int)b->kind));
    sek_buf_add_text(&out->title, sek_lang_text(lang, key));
    make_period(out);
    make_made(out);
    make_summary(out);
    hide(out, &out->summary);
    make_figures(out);
    sek__paper_sheets(out);
    for (unsigned i = 0; i < out->n_sheets; i++)
        failed |= out->sheets[i].cells.failed;
    if (failed || out->texts.failed || out->summary.failed || out->period.failed)
        return sek_diag_set(diag, SEK_E_NOMEM, "%s", sek_err_text(SEK_E_NOMEM));
    return SEK_OK;
}

void sek_paper_fini(struct sek_paper *p)
{
    for (unsigned i = 0; i < p->n_sheets; i++)
        sek_buf_fini(&p->sheets[i].cells);
    sek_buf_fini(&p->texts);
    sek_buf_fini(&p->title);
    sek_buf_fini(&p->period);
    sek_buf_fini(&p->summary);
    sek_buf_fini(&p->made);
}

/* --- reading -----------------------------------------------------------------------------------
 */

const struct sek_sheet_cell *sek_sheet_cell(const struct sek_sheet *s, unsigned row, unsigned col)
{
    return (const struct sek_sheet_cell *)(const void *)s->cells.data + row * s->n_cols + col;
}

bool sek__sheet_shows(const struct sek_sheet *s, unsigned col)
{
    bool filled = col == 0 || s->n_rows == 0;
    for (unsigned row = 0; row < s->n_rows && !filled; row++)
        filled = sek_sheet_cell(s, row, col)->set;
    return filled && s->cols[col].place != SEK_SHEET_MACHINE;
}

const char *sek_paper_text(const struct sek_paper *p, const struct sek_sheet_cell *cell)
{
    return cell->set ? p->texts.data + cell->text : "";
}

/* Hours are times, in UTC; days are those of the zone, where a step of 24 hours begins at 23:00
 * or 01:00 once the clocks have changed. */
static void show_step(const struct sek_paper *p, int64_t from_s, struct sek_buf *out)
{
    if (p->b->step_s < 86400)
        sek_lang_time(p->lang, out, "step.hour", from_s);
    else
        sek_lang_time(p->lang, out, p->b->n_steps <= 14 ? "step.day" : "step.date",
                      sek_when_local(from_s, p->b->zone) + (p->b->zone ? 3600 : 0));
}

void sek_paper_show(const struct sek_paper *p, const struct sek_sheet_col *col,
                    const struct sek_sheet_cell *cell, struct sek_buf *out)
{
    char number[SEK_LANG_NUMBER_MAX];
    const char *word;
    if (!cell->set)
        return;
    switch (col->kind) {
    case SEK_SHEET_TEXT:
    case SEK_SHEET_NAME:
        sek_buf_add_text(out, sek_paper_text(p, cell));
        break;
    case SEK_SHEET_WORD:
        word = text_of(p, "word.%s", sek_paper_text(p, cell));
        sek_buf_add_text(out, word ? word : sek_paper_text(p, cell));
        break;
    case SEK_SHEET_COUNT:
        sek_buf_add_text(out, sek_lang_number(p->lang, cell->n, number));
        break;
    case SEK_SHEET_SHARE:
        sek_buf_add_text(out, sek_lang_percent(p->lang, cell->share, number));
        break;
    case SEK_SHEET_TIME:
        sek_lang_time(p->lang, out, "time", (int64_t)cell->n);
        break;
    case SEK_SHEET_STEP:
        show_step(p, (int64_t)cell->n, out);
        break;
    case SEK_SHEET_FLAG:
        sek_buf_add_text(out, sek_lang_text(p->lang, cell->n ? "yes" : "no"));
        break;
    }
}

void sek_paper_change(const struct sek_paper *p, const struct sek_figure *f, struct sek_buf *out)
{
    char percent[SEK_LANG_NUMBER_MAX], before[SEK_LANG_NUMBER_MAX];
    uint64_t change = f->n > f->before ? f->n - f->before : f->before - f->n;
    if (!p->b->has_before)
        return;
    const char *key = f->before == 0 && f->n ? "change.new"
                      : change == 0          ? "change.same"
                      : f->n > f->before     ? "change.up"
                                             : "change.down";
    SEK_SAY(p->lang, out, key, {"before", sek_lang_number(p->lang, f->before, before)},
            {"percent", sek_lang_percent(
                            p->lang, f->before ? (double)change / (double)f->before : 0, percent)});
}
