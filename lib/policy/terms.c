/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy/terms.h"
#include "policy/records.h"
#include "policy/terms_format.h"
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define DAY_S 86400
#define DAY_MIN 1440
#define EPOCH_WEEKDAY 3 /* 1 January 1970 was a Thursday */
#define TYPE_ANY 255    /* RFC 1035 §3.2.3, RFC 8482 */

const struct sek_lookup sek_log_names[] = {
    {SEK_LOG_NORMAL, "normal"}, {SEK_LOG_NONE, "none"}, {0, NULL}};

struct sek_termset {
    uint32_t n;
    size_t n_memory;
    const struct sek_terms *terms;
    const uint8_t *memory;
    bool conditions, moments; /* one has conditions; a start or a schedule */
    bool endpoints;           /* is for some of them only */
};

/* --- reading ------------------------------------------------------------------------------------
 */

static bool is_inside(const struct sek_termset *set, uint32_t at, uint64_t n)
{
    return at >= 8 && at % 8 == 0 && at <= set->n_memory && n <= set->n_memory - at;
}

static const struct sek__zone *zone_of(const struct sek_termset *set, const struct sek_terms *t)
{
    return (const void *)(set->memory + t->zone);
}

static const struct sek__change *changes_of(const struct sek__zone *zone)
{
    return (const void *)(zone + 1);
}

static bool check_zone(const struct sek_termset *set, const struct sek_terms *t)
{
    if (!is_inside(set, t->zone, sizeof(struct sek__zone)))
        return false;
    const struct sek__zone *zone = zone_of(set, t);
    const struct sek__change *c = changes_of(zone);
    if (zone->n == 0 || !is_inside(set, t->zone, sizeof *zone + (uint64_t)zone->n * sizeof *c))
        return false;
    for (uint32_t i = 0; i < zone->n; i++)
        if (c[i].offset_s > SEK__OFFSET_MAX || c[i].offset_s < -SEK__OFFSET_MAX ||
            (i == 0 ? c[i].at_s != INT64_MIN : c[i].at_s <= c[i - 1].at_s))
            return false;
    return true;
}

static bool check_schedule(const struct sek_termset *set, const struct sek_terms *t)
{
    if (!(t->given & SEK_TERMS_SCHEDULE))
        return t->n_windows == 0;
    if (t->n_windows == 0 || t->n_windows > SEK_TERMS_WINDOWS_MAX)
        return false;
    for (unsigned i = 0; i < t->n_windows; i++) {
        const struct sek_hours *w = &t->windows[i];
        if (w->days == 0 || w->days > 127 || w->from >= DAY_MIN || w->to == 0 || w->to > DAY_MIN)
            return false;
    }
    return check_zone(set, t);
}

static bool check_data(const struct sek_termset *set, const struct sek_terms *t)
{
    struct sek_record r;
    if (!(t->given & SEK_TERMS_DATA))
        return true;
    if (t->n_data == 0 || t->n_data > SEK_TERMS_DATA_MAX || !is_inside(set, t->data, t->n_data))
        return false;
    const uint8_t *at = set->memory + t->data, *end = at + t->n_data;
    while (sek_record_next(&at, end, &r))
        if (r.type == SEK_TYPE_TTL && r.n != 6)
            return false;
    return at == end;
}

static const struct sek_net *endpoints_of(const struct sek_termset *set, const struct sek_terms *t,
                                          uint32_t *out_n)
{
    const struct sek__endpoints *head = (const void *)(set->memory + t->endpoints);
    *out_n = head->n;
    return (const void *)(head + 1);
}

static bool check_endpoints(const struct sek_termset *set, const struct sek_terms *t)
{
    uint32_t n;
    if (!(t->given & SEK_TERMS_ENDPOINTS))
        return true;
    if (!is_inside(set, t->endpoints, sizeof(struct sek__endpoints)))
        return false;
    const struct sek_net *nets = endpoints_of(set, t, &n);
    if (n == 0 || n > SEK_TERMS_ENDPOINTS_MAX ||
        !is_inside(set, t->endpoints, sizeof(struct sek__endpoints) + n * sizeof *nets))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (nets[i].bits > 128)
            return false;
    return true;
}

static bool check_terms(const struct sek_termset *set, const struct sek_terms *t)
{
    if (t->n_types > SEK_TERMS_TYPES_MAX || (t->n_types > 0) != !!(t->given & SEK_TERMS_TYPES) ||
        t->ttl_s > SEK_TERMS_TTL_MAX || t->log > SEK_LOG_NONE || t->start_s < 0)
        return false;
    if ((t->given & SEK_TERMS_EDE_TEXT) &&
        (!is_inside(set, t->ede_text, 1) ||
         !memchr(set->memory + t->ede_text, '\0',
                 set->n_memory - t->ede_text < SEK_TERMS_EDE_TEXT_MAX ? set->n_memory - t->ede_text
                                                                      : SEK_TERMS_EDE_TEXT_MAX)))
        return false;
    return check_data(set, t) && check_schedule(set, t) && check_endpoints(set, t);
}

enum sek_err sek_termset_read(const void *data, size_t size, struct sek_termset **out,
                              struct sek_diag *diag)
{
    const struct sek__terms_head *head = data;
    struct sek_termset set = {0};
    if (size < sizeof *head || head->n > SEK_TERMS_MAX ||
        size != sizeof *head + (uint64_t)head->n * sizeof *set.terms + head->n_memory)
        return sek_diag_set(diag, SEK_E_CORRUPT, "damaged conditions of rules: wrong size");
    set.n = head->n;
    set.n_memory = head->n_memory;
    set.terms = (const void *)(head + 1);
    set.memory = (const void *)(set.terms + set.n);
    for (uint32_t i = 0; i < set.n; i++) {
        if (!check_terms(&set, &set.terms[i]))
            return sek_diag_set(diag, SEK_E_CORRUPT, "damaged conditions of rules: number %u",
                                i + 1);
        set.endpoints |= (set.terms[i].given & SEK_TERMS_ENDPOINTS) != 0;
        set.conditions |= (set.terms[i].given & SEK_TERMS_CONDITIONS) != 0;
        set.moments |= (set.terms[i].given & (SEK_TERMS_SCHEDULE | SEK_TERMS_START)) != 0;
    }
    struct sek_termset *own = malloc(sizeof *own);
    if (!own)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for conditions of rules");
    *own = set;
    *out = own;
    return SEK_OK;
}

void sek_termset_free(struct sek_termset *set)
{
    free(set);
}

uint32_t sek_termset_n(const struct sek_termset *set)
{
    return set ? set->n : 0;
}

const struct sek_terms *sek_termset_get(const struct sek_termset *set, uint32_t number)
{
    return set && number > 0 && number <= set->n ? &set->terms[number - 1] : NULL;
}

const char *sek_termset_ede_text(const struct sek_termset *set, const struct sek_terms *t)
{
    return t->given & SEK_TERMS_EDE_TEXT ? (const char *)set->memory + t->ede_text : "";
}

const uint8_t *sek_termset_data(const struct sek_termset *set, const struct sek_terms *t,
                                size_t *out_n)
{
    *out_n = t->given & SEK_TERMS_DATA ? t->n_data : 0;
    return t->given & SEK_TERMS_DATA ? set->memory + t->data : NULL;
}

/* --- conditions ---------------------------------------------------------------------------------
 */

bool sek_terms_hold_type(const struct sek_terms *t, uint16_t qtype, bool all)
{
    if (!(t->given & SEK_TERMS_TYPES))
        return true;
    if (qtype == 0 || qtype == TYPE_ANY)
        return !all; /* no set has all types, and none has no type */
    bool named = false;
    for (unsigned i = 0; i < t->n_types; i++)
        named |= t->types[i] == qtype;
    return named != (t->all_but != 0);
}

bool sek_termset_holds_for(const struct sek_termset *set, const struct sek_terms *t,
                           const struct sek_addr *endpoint)
{
    uint32_t n;
    if (!(t->given & SEK_TERMS_ENDPOINTS))
        return true;
    const struct sek_net *nets = endpoints_of(set, t, &n);
    for (uint32_t i = 0; i < n; i++)
        if (sek_net_has(&nets[i], endpoint))
            return true;
    return false;
}

/* The index of the change that is in force. */
static uint32_t change_at(const struct sek__zone *zone, int64_t time_s)
{
    const struct sek__change *c = changes_of(zone);
    uint32_t low = 0, high = zone->n; /* c[low].at_s <= time_s */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (c[middle].at_s <= time_s)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The day of the week (0 is Monday), and the second of the day. */
static unsigned weekday_of(int64_t local_s, unsigned *out_second)
{
    int64_t day = local_s / DAY_S, second = local_s % DAY_S;
    if (second < 0) {
        second += DAY_S;
        day--;
    }
    *out_second = (unsigned)second;
    int64_t weekday = (day + EPOCH_WEEKDAY) % 7;
    return (unsigned)(weekday < 0 ? weekday + 7 : weekday);
}

static bool is_in_window(const struct sek_hours *w, unsigned weekday, unsigned minute)
{
    bool today = w->days >> weekday & 1, yesterday = w->days >> (weekday + 6) % 7 & 1;
    if (w->to > w->from)
        return today && w->from <= minute && minute < w->to;
    return (today && w->from <= minute) || (yesterday && minute < w->to);
}

bool sek_termset_holds_at(const struct sek_termset *set, const struct sek_terms *t, int64_t now_s)
{
    if (!(t->given & SEK_TERMS_SCHEDULE))
        return true;
    const struct sek__zone *zone = zone_of(set, t);
    unsigned second;
    unsigned weekday =
        weekday_of(now_s + changes_of(zone)[change_at(zone, now_s)].offset_s, &second);
    for (unsigned i = 0; i < t->n_windows; i++)
        if (is_in_window(&t->windows[i], weekday, second / 60))
            return true;
    return false;
}

/* --- moments ------------------------------------------------------------------------------------
 */

/* Of the clock on the wall: s until it next shows one of the window's bounds, whatever the day. A
 * moment too many does no harm. */
static int64_t until_bound(const struct sek_hours *w, unsigned second)
{
    int64_t least = DAY_S;
    const unsigned bounds[] = {w->from, w->to % DAY_MIN};
    for (unsigned i = 0; i < 2; i++) {
        int64_t s = (int64_t)bounds[i] * 60 - second;
        if (s <= 0)
            s += DAY_S;
        if (s < least)
            least = s;
    }
    return least;
}

static int64_t next_of_schedule(const struct sek_termset *set, const struct sek_terms *t,
                                int64_t after_s)
{
    const struct sek__zone *zone = zone_of(set, t);
    uint32_t i = change_at(zone, after_s);
    unsigned second;
    weekday_of(after_s + changes_of(zone)[i].offset_s, &second);
    int64_t least = DAY_S;
    for (unsigned k = 0; k < t->n_windows; k++) {
        int64_t s = until_bound(&t->windows[k], second);
        if (s < least)
            least = s;
    }
    /* the clock is put forward or back before that: it shows another time at once */
    if (i + 1 < zone->n && changes_of(zone)[i + 1].at_s < after_s + least)
        return changes_of(zone)[i + 1].at_s;
    return after_s + least;
}

int64_t sek_termset_next(const struct sek_termset *set, const struct sek_terms *t, int64_t after_s)
{
    int64_t next = t->given & SEK_TERMS_SCHEDULE ? next_of_schedule(set, t, after_s) : 0;
    if ((t->given & SEK_TERMS_START) && t->start_s > after_s && (next == 0 || t->start_s < next))
        next = t->start_s;
    return next;
}

int64_t sek_termset_next_any(const struct sek_termset *set, int64_t after_s)
{
    int64_t first = 0;
    for (uint32_t i = 0; set && set->moments && i < set->n; i++) {
        int64_t next = sek_termset_next(set, &set->terms[i], after_s);
        if (next != 0 && (first == 0 || next < first))
            first = next;
    }
    return first;
}

bool sek_termset_conditions(const struct sek_termset *set)
{
    return set && set->conditions;
}

bool sek_termset_endpoints(const struct sek_termset *set)
{
    return set && set->endpoints;
}
