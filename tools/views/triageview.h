/* SPDX-License-Identifier: BSD-3-Clause */
/* The state that people gave hits (store/triage.h), in reports. Reports go on without it: who may
 * not read policy.db is told so. One thread. */
#pragma once
#include "tools/context.h"
#include "store/triage.h"

struct sek_triageview {
    struct sek_triage_set *set; /* NULL: it cannot be read */
    bool filtered;
    int wanted; /* enum sek_triage_state, or SEK_TRIAGE_OPEN */
};

#define SEK_TRIAGE_OPEN 100                          /* new or in progress */
extern const struct sek_lookup sek_triage_choices[]; /* the states, and "open" */
#define SEK_TRIAGE_FILTER_ROW                                                                      \
    {                                                                                              \
        "triage", 0, SEK_ARG_CHOICE, NULL, "in this state only; open: new or in progress",         \
            sek_triage_choices                                                                     \
    }

/* With the settings loaded. filter: of the option above. Fails only where a filter cannot do
 * without. */
enum sek_err sek_triageview_open(struct sek_triageview *v, struct sek_context *c,
                                 const struct sek_arg_value *filter);
void sek_triageview_close(struct sek_triageview *v);
/* The row for hits of a domain by an endpoint (either may be NULL), of which the last was at
 * last_ms. False: the filter leaves them out. */
bool sek_triageview_find(const struct sek_triageview *v, const char *domain, const char *endpoint,
                         int64_t last_ms, const struct sek_triage **out);

/* The columns: state, who, when, note. place: of the last three. */
#define SEK_TRIAGE_COLS 4
#define SEK_TRIAGE_COL_ROWS(first, place)                                                          \
    [first] = {"triage", "Triage", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},                         \
    [(first) + 1] = {"triage_by", "By", SEK_COL_TEXT, NULL, 0, place},                             \
    [(first) + 2] = {"triage_at", "Since (UTC)", SEK_COL_TIME, NULL, 0, place},                    \
    [(first) + 3] = {"triage_note", "Note", SEK_COL_TEXT, NULL, 0, place}
/* Set them, from `first` on. People are not told of each that is new. */
void sek_triageview_put(const struct sek_triageview *v, struct sek_out *o, unsigned first,
                        const struct sek_triage *row, int64_t last_ms);
