/* SPDX-License-Identifier: BSD-3-Clause */
/* Hits as `hits` and `tail` filter and show them. */
#pragma once
#include "tools/context.h"
#include "machines.h"
#include "triageview.h"
#include "name/text.h"
#include "policy/rule.h"
#include "store/report.h"
#include "tools/change/groups.h"

/* Places of the filter options; a command's own options come after. */
enum {
    SEK_HIT_ENDPOINT,
    SEK_HIT_NAME,
    SEK_HIT_LIST,
    SEK_HIT_RULE,
    SEK_HIT_DETECTOR,
    SEK_HIT_GROUP,
    SEK_HIT_ACTION,
    SEK_HIT_TYPE,
    SEK_HIT_MONITOR,
    SEK_HIT_BLOCKED,
    SEK_N_HIT_FILTERS
};

#define SEK_HIT_FILTER_ROWS                                                                        \
    [SEK_HIT_ENDPOINT] = {"endpoint", 'e', SEK_ARG_TEXT, "ENDPOINT",                               \
                          "of this client only: an address, network, pseudonym, MAC or machine"},  \
    [SEK_HIT_NAME] = {"name", 'n', SEK_ARG_TEXT, "NAME",                                           \
                      "at or below this name; =NAME exactly, *.NAME only below"},                  \
    [SEK_HIT_LIST] = {"list", 'l', SEK_ARG_TEXT, "LIST", "met by this list"},                      \
    [SEK_HIT_RULE] = {"rule", 0, SEK_ARG_TEXT, "RULE",                                             \
                      "met this very rule, as the column Rule shows it"},                          \
    [SEK_HIT_DETECTOR] = {"detector", 0, SEK_ARG_TEXT, "WORD",                                     \
                          "decided by this: list, classifier, nod, or a finding's detector"},      \
    [SEK_HIT_GROUP] = {"member-of", 0, SEK_ARG_TEXT, "GROUP",                                      \
                       "of clients that are in this group now"},                                   \
    [SEK_HIT_ACTION] = {"action",        0, SEK_ARG_CHOICE, NULL, "that were answered so",         \
                        sek_action_names},                                                         \
    [SEK_HIT_TYPE] = {"type", 't', SEK_ARG_TEXT, "TYPE", "of this query type: A, TXT, TYPE65400"}, \
    [SEK_HIT_MONITOR] = {"monitor", 0, SEK_ARG_FLAG, NULL, "only recorded, not blocked"},          \
    [SEK_HIT_BLOCKED] = {"blocked", 0, SEK_ARG_FLAG, NULL, "blocked only"}

/* The texts that a filter borrows, in their canonical form. */
struct sek_hit_texts {
    struct sek_buf endpoint; /* an address or spans */
    char name[SEK_NAME_TEXT_MAX + 2], rule[SEK_NAME_TEXT_MAX + 2];
    struct sek_net net;
    struct sek_nets members;
};
void sek_hit_texts_fini(struct sek_hit_texts *texts);

/* From c->opt; SEK_E_INVALID (usage) for what is no endpoint, name, group or type. Behind it, in
 * any case, sek_hit_texts_fini. */
enum sek_err sek_hit_filter_read(struct sek_context *c, struct sek_hit_filter *out,
                                 struct sek_hit_texts *texts);

/* The report of hits. */
struct sek_hit_view {
    struct sek_out *out;
    const struct sek_conf *conf;
    struct sek_classify *model; /* explains what the classifier decided; NULL: nobody does */
    bool looked;                /* for the model, which the first such hit needs */
    struct sek_machines machines;
    const struct sek_triageview *triage; /* borrowed; NULL, as it begins: its cells are empty */
    struct sek_col cols[SEK_OUT_COLS_MAX];
};
/* Begin it on c->out, with the settings loaded. Behind it sek_hit_view_fini. */
void sek_hit_view_init(struct sek_hit_view *v, struct sek_context *c, const char *schema,
                       enum sek_out_shape shape);
void sek_hit_view_fini(struct sek_hit_view *v);
/* Set and end one row; false: stop. */
bool sek_hit_view_row(struct sek_hit_view *v, const struct sek_hit *hit);

/* Open events.db of the settings, with a hint when it is not there. */
enum sek_err sek_hit_report_open(struct sek_context *c, struct sek_report **out);

/* The part of a page that shows the latest hits: begin it, then a row each. arg: the struct sek_out
 * (a sek_hit_fn). */
void sek_hit_latest_part(struct sek_out *o);
bool sek_hit_latest_row(void *arg, const struct sek_hit *hit);
