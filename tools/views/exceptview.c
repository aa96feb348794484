/* SPDX-License-Identifier: BSD-3-Clause */
#include "exceptview.h"
#include "base/buf.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include <string.h>
#include "base/banned.h"

enum {
    ID,
    STATE,
    EMERGENCY,
    RULE,
    AUDIENCE,
    TERMS,
    START,
    END,
    LEFT,
    LIFETIME,
    REVIEW,
    REQUESTER,
    REQUESTED,
    DECIDED,
    DECIDER,
    DECIDED_AT,
    DECISION_NOTE,
    REVOKER,
    REVOKED_AT,
    REVOKE_NOTE,
    REVIEWER,
    REVIEWED_AT,
    OWNER,
    TICKET,
    REASON,
    CONDITION,
    ANSWERS,
    N_COLS
};

/* Once for both shapes: a table shows what people look for first. */
static const struct sek_col record_cols[N_COLS] = {
    [ID] = {"id", "Exception", SEK_COL_UINT},
    [STATE] = {"state", "State", SEK_COL_TEXT},
    [EMERGENCY] = {"emergency", "Emergency", SEK_COL_TEXT},
    [RULE] = {"rule", "Name", SEK_COL_NAME},
    [AUDIENCE] = {"for", "For", SEK_COL_TEXT},
    [TERMS] = {"terms", "Terms", SEK_COL_TEXT},
    [START] = {"start", "Starts (UTC)", SEK_COL_TIME, "when it is approved"},
    [END] = {"end", "Ends (UTC)", SEK_COL_TIME},
    [LEFT] = {"left_s", "Left", SEK_COL_DURATION},
    [LIFETIME] = {"lifetime_s", "Life time", SEK_COL_DURATION},
    [REVIEW] = {"review", "Review due (UTC)", SEK_COL_TIME},
    [REQUESTER] = {"requester", "Requested by", SEK_COL_TEXT},
    [REQUESTED] = {"requested", "  at (UTC)", SEK_COL_TIME},
    [DECIDED] = {"decision", "Decision", SEK_COL_TEXT, "none yet"},
    [DECIDER] = {"decided_by", "  by", SEK_COL_TEXT},
    [DECIDED_AT] = {"decided", "  at (UTC)", SEK_COL_TIME},
    [DECISION_NOTE] = {"decision_note", "  note", SEK_COL_TEXT},
    [REVOKER] = {"revoked_by", "Revoked by", SEK_COL_TEXT},
    [REVOKED_AT] = {"revoked", "  at (UTC)", SEK_COL_TIME},
    [REVOKE_NOTE] = {"revoke_note", "  note", SEK_COL_TEXT},
    [REVIEWER] = {"reviewed_by", "Reviewed by", SEK_COL_TEXT},
    [REVIEWED_AT] = {"reviewed", "  at (UTC)", SEK_COL_TIME},
    [OWNER] = {"owner", "Owner", SEK_COL_TEXT},
    [TICKET] = {"ticket", "Ticket", SEK_COL_TEXT},
    [REASON] = {"reason", "Reason", SEK_COL_TEXT},
    [CONDITION] = {"condition", "Condition", SEK_COL_TEXT},
    [ANSWERS] = {"answers", "Answers", SEK_COL_TEXT},
};
static const struct sek_col row_cols[N_COLS] = {
    [ID] = {"id", "Id", SEK_COL_UINT},
    [STATE] = {"state", "State", SEK_COL_TEXT},
    [EMERGENCY] = {"emergency", "Emergency", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [RULE] = {"rule", "Name", SEK_COL_NAME},
    [AUDIENCE] = {"for", "For", SEK_COL_TEXT},
    [TERMS] = {"terms", "Terms", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [START] = {"start", "Starts (UTC)", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [END] = {"end", "Ends (UTC)", SEK_COL_TIME},
    [LEFT] = {"left_s", "Left", SEK_COL_DURATION, NULL, 0, SEK_COL_FILLED},
    [LIFETIME] = {"lifetime_s", "Life time", SEK_COL_DURATION, NULL, 0, SEK_COL_FILLED},
    [REVIEW] = {"review", "Review due", SEK_COL_TIME, NULL, 0, SEK_COL_FILLED},
    [REQUESTER] = {"requester", "Requester", SEK_COL_TEXT},
    [REQUESTED] = {"requested", "Requested", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [DECIDED] = {"decision", "Decision", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [DECIDER] = {"decided_by", "Decided by", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [DECIDED_AT] = {"decided", "Decided", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [DECISION_NOTE] = {"decision_note", "Note", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [REVOKER] = {"revoked_by", "Revoked by", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [REVOKED_AT] = {"revoked", "Revoked", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [REVOKE_NOTE] = {"revoke_note", "Note", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [REVIEWER] = {"reviewed_by", "Reviewed by", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
    [REVIEWED_AT] = {"reviewed", "Reviewed", SEK_COL_TIME, NULL, 0, SEK_COL_MACHINE},
    [OWNER] = {"owner", "Owner", SEK_COL_TEXT},
    [TICKET] = {"ticket", "Ticket", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [REASON] = {"reason", "Reason", SEK_COL_TEXT},
    [CONDITION] = {"condition", "Condition", SEK_COL_TEXT, NULL, 0, SEK_COL_FILLED},
    [ANSWERS] = {"answers", "Answers", SEK_COL_TEXT, NULL, 0, SEK_COL_MACHINE},
};

static enum sek_tint tint_of(enum sek_exception_state state)
{
    switch (state) {
    case SEK_EXCEPTION_REQUESTED:
    case SEK_EXCEPTION_EXPIRING:
        return SEK_TINT_WARN;
    case SEK_EXCEPTION_ACTIVE:
        return SEK_TINT_GOOD;
    default:
        return SEK_TINT_FAINT;
    }
}

static void put_step(struct sek_out *o, const struct sek_exception_step *s, unsigned who)
{
    if (!s->act)
        return;
    sek_out_text(o, who, s->who);
    sek_out_int(o, who + 1, s->time_s);
}

static void put_times(struct sek_context *c, const struct sek_exception *e)
{
    struct sek_out *o = c->out;
    if (e->start_s)
        sek_out_int(o, START, e->start_s);
    if (e->end_s)
        sek_out_int(o, END, e->end_s);
    else if (e->lifetime_s)
        sek_out_int(o, LIFETIME, e->lifetime_s);
    if (e->end_s && sek_exception_in_force(e, c->now_s))
        sek_out_int(o, LEFT, e->end_s - c->now_s);
    if (e->review_s) {
        sek_out_int(o, REVIEW, e->review_s);
        sek_out_tint(o, REVIEW, e->review_s <= c->now_s ? SEK_TINT_BAD : SEK_TINT_NONE);
    }
}

static void put_steps(struct sek_out *o, const struct sek_exception *e)
{
    put_step(o, &e->requested, REQUESTER);
    put_step(o, &e->decided, DECIDER);
    put_step(o, &e->revoked, REVOKER);
    put_step(o, &e->reviewed, REVIEWER);
    if (e->decided.act)
        sek_out_text(o, DECIDED, sek_lookup_name(sek_exception_act_names, e->decided.act));
    sek_out_text(o, DECISION_NOTE, *e->decided.note ? e->decided.note : NULL);
    sek_out_text(o, REVOKE_NOTE, *e->revoked.note ? e->revoked.note : NULL);
}

bool sek_except_view_row(struct sek_context *c, const struct sek_exception *e)
{
    struct sek_out *o = c->out;
    char rule[SEK_NAME_TEXT_MAX + 2];
    struct sek_buf audience;
    enum sek_exception_state state = sek_exception_state(e, c->now_s, c->conf.exceptions.warn_s);
    sek_buf_init(&audience, 0);
    sek_exception_audience(e, &audience);
    sek_rule_to_text((enum sek_scope)e->scope, e->name.octets, rule);
    sek_out_uint(o, ID, (uint64_t)e->id);
    sek_out_text(o, STATE, sek_lookup_name(sek_exception_state_names, (int)state));
    sek_out_tint(o, STATE, tint_of(state));
    if (e->decided.act == SEK_EXCEPTION_EMERGENCY) {
        bool open = sek_exception_is_emergency_open(e);
        sek_out_text(o, EMERGENCY, open ? "NOT REVIEWED" : "reviewed");
        sek_out_tint(o, EMERGENCY, open ? SEK_TINT_BAD : SEK_TINT_NONE);
    }
    sek_out_text(o, RULE, rule);
    sek_out_text(o, AUDIENCE, audience.data);
    sek_out_text(o, TERMS, *e->terms ? e->terms : NULL);
    put_times(c, e);
    put_steps(o, e);
    sek_out_text(o, OWNER, e->owner);
    sek_out_text(o, TICKET, *e->ticket ? e->ticket : NULL);
    sek_out_text(o, REASON, e->reason);
    sek_out_text(o, CONDITION, *e->condition ? e->condition : NULL);
    sek_out_text(o, ANSWERS, *e->answers ? e->answers : NULL);
    sek_buf_fini(&audience);
    return sek_out_row(o);
}

void sek_except_view_begin(struct sek_context *c, const char *schema)
{
    sek_out_begin(c->out, schema, row_cols, N_COLS, SEK_OUT_ROWS);
}

void sek_except_view_part(struct sek_context *c, const char *key)
{
    sek_out_part(c->out, key, row_cols, N_COLS, SEK_OUT_ROWS);
}

void sek_except_view_record(struct sek_context *c, const struct sek_exception *e)
{
    sek_out_begin(c->out, "sekisho.exception/1", record_cols, N_COLS, SEK_OUT_RECORD);
    sek_except_view_row(c, e);
}

void sek_except_shout(const struct sek_exceptions_sum *sum)
{
    if (sum->n_emergency_open == 0)
        return;
    sek_talk("EMERGENCY: exception %lld (%s%s) was made without approval and waits for its review: "
             "sekisho exception reviewed %lld%s",
             (long long)sum->emergency, sum->emergency_rule,
             sum->emergency_in_force ? "" : ", over by now", (long long)sum->emergency,
             sum->n_emergency_open > 1 ? "; and there are more" : "");
}

void sek_except_shout_in_report(struct sek_context *c)
{
    /* status, check and the lists of exceptions have it among what they tell */
    static const char *const reports[] = {
        "hits",          "findings",      "finding",       "endpoint",   "endpoint list",
        "endpoint show", "domain",        "report",        "metrics",    "stats",
        "tail",          "triage show",   "incident list", "nod list",   "nod show",
        "answers",       "incident show", "correlate",     "list stats",
    };
    struct sek_exceptions_sum sum;
    const struct sek_conf *conf;
    struct sek_policydb *db;
    bool is_report = false;
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
        is_report |= strcmp(reports[i], c->command->words) == 0;
    if (!is_report || sek_context_conf(c, &conf) ||
        sek_policydb_open(conf->policy.db, false, &db, NULL)) {
        c->diag = (struct sek_diag){0};
        return;
    }
    if (sek_exceptions_emergencies(db, c->now_s, &sum, NULL) == SEK_OK)
        sek_except_shout(&sum);
    sek_policydb_close(db);
}
