/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/addr.h"
#include "base/duration.h"
#include "base/json.h"
#include "event/finding.h"
#include "name/text.h"
#include "observe/leases.h"
#include "policy/groups.h"
#include "policy/reader.h"
#include "store/incidents.h"
#include "store/exceptions.h"
#include "store/feeds.h"
#include "store/journal.h"
#include "store/namekey.h"
#include "store/triage.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

/* Rows come from a database that anybody may have altered: nothing is taken for granted. */

static void add_octets(struct sek_buf *out, const struct sek__cell *cell)
{
    if (cell->type == SEK_CELL_INT)
        sek_buf_add_fmt(out, "%" PRId64, cell->n);
    else if (cell->len)
        sek_buf_add(out, cell->data, cell->len);
}

static void add_quoted(struct sek_buf *out, const char *what, const struct sek__cell *cell)
{
    struct sek_buf text;
    if (cell->type != SEK_CELL_TEXT || cell->len == 0)
        return;
    sek_buf_init(&text, 0);
    sek_buf_add(&text, cell->data, cell->len);
    sek_buf_add_fmt(out, ", %s ", what);
    if (text.data)
        sek_json_add_text(out, text.data);
    sek_buf_fini(&text);
}

static void add_word(struct sek_buf *out, const struct sek_lookup *words, const struct sek__cell *c)
{
    const char *word = c->n >= 0 && c->n < 256 ? sek_lookup_name(words, (int)c->n) : NULL;
    if (word)
        sek_buf_add_text(out, word);
    else
        sek_buf_add_fmt(out, "%" PRId64, c->n);
}

static void add_time(struct sek_buf *out, const char *what, int64_t time_s)
{
    char text[32];
    sek_buf_add_fmt(out, "%s%s", what, sek_time_to_text(time_s, text, sizeof text));
}

/* --- list --------------------------------------------------------------------------------------
 */

enum {
    L_ID,
    L_NAME,
    L_MODE,
    L_ACTION,
    L_PRIORITY,
    L_EDE,
    L_SOURCE,
    L_COMMENT,
    L_WHO,
    L_IMPORTED = 11,
    L_ONLY,
    L_EXCEPT,
    L_OVERRIDE,
    L_KIND
};

/* The numbers of the groups in a set: their names may be others by now. */
static void add_groups(struct sek_buf *out, const char *what, int64_t groups)
{
    if (groups == 0)
        return;
    sek_buf_add_text(out, what);
    for (unsigned id = 1; id <= SEK_GROUPS_MAX; id++)
        if ((uint64_t)groups & sek_group_bit(id))
            sek_buf_add_fmt(out, " %u", id);
}

static void list_object(const struct sek__cell *row, const struct sek__list_names *lists,
                        struct sek_buf *out)
{
    (void)lists;
    sek_buf_add_text(out, "list ");
    add_octets(out, &row[L_NAME]);
}

static void list_says(const struct sek__cell *row, struct sek_buf *out)
{
    sek_buf_add_text(out, "mode ");
    add_word(out, sek_mode_names, &row[L_MODE]);
    sek_buf_add_text(out, ", action ");
    add_word(out, sek_action_names, &row[L_ACTION]);
    add_quoted(out, "override", &row[L_OVERRIDE]);
    sek_buf_add_fmt(out, ", priority %" PRId64 ", ede %" PRId64, row[L_PRIORITY].n, row[L_EDE].n);
    add_quoted(out, "source", &row[L_SOURCE]);
    add_quoted(out, "comment", &row[L_COMMENT]);
    if (row[L_IMPORTED].n)
        add_time(out, ", imported ", row[L_IMPORTED].n);
    add_quoted(out, "kind", &row[L_KIND]);
    add_groups(out, ", only for groups", row[L_ONLY].n);
    add_groups(out, ", not for groups", row[L_EXCEPT].n);
}

/* --- entry -------------------------------------------------------------------------------------
 */

enum { E_LIST, E_NAME, E_SCOPE, E_ACTION, E_EXPIRES, E_CREATED, E_WHO, E_COMMENT, E_TERMS };

static void entry_object(const struct sek__cell *row, const struct sek__list_names *lists,
                         struct sek_buf *out)
{
    char text[SEK_NAME_TEXT_MAX + 2];
    struct sek_name name;
    const char *list = sek__list_name(lists, row[E_LIST].n);
    if (list)
        sek_buf_add_fmt(out, "%s ", list);
    else
        sek_buf_add_fmt(out, "list %" PRId64 " ", row[E_LIST].n);
    if (sek_namekey_to_name(row[E_NAME].data, row[E_NAME].len, &name) ||
        row[E_SCOPE].n < SEK_SCOPE_EXACT || row[E_SCOPE].n > SEK_SCOPE_BELOW)
        sek_buf_add_text(out, "(no valid rule)");
    else
        sek_buf_add(out, text, sek_rule_to_text((enum sek_scope)row[E_SCOPE].n, name.octets, text));
}

static void entry_says(const struct sek__cell *row, struct sek_buf *out)
{
    if (row[E_ACTION].n == SEK_ACTION_DEFAULT)
        sek_buf_add_text(out, "action as list");
    else {
        sek_buf_add_text(out, "action ");
        add_word(out, sek_action_names, &row[E_ACTION]);
    }
    if (row[E_EXPIRES].n)
        add_time(out, ", until ", row[E_EXPIRES].n);
    add_quoted(out, "terms", &row[E_TERMS]);
    add_quoted(out, "by", &row[E_WHO]);
    add_quoted(out, "reason", &row[E_COMMENT]);
}

/* --- endpoint_span -----------------------------------------------------------------------------
 */

enum { S_SUBJECT, S_FROM, S_UNTIL, S_ENDED, S_SEEN, S_MAC, S_NAME, S_OWNER, S_GROUP };

static void span_object(const struct sek__cell *row, const struct sek__list_names *lists,
                        struct sek_buf *out)
{
    char text[SEK_ADDR_TEXT_MAX];
    struct sek_addr addr;
    (void)lists;
    if (row[S_SUBJECT].len == sizeof addr.octets) {
        memcpy(addr.octets, row[S_SUBJECT].data, sizeof addr.octets);
        sek_buf_add_fmt(out, "endpoint %s", sek_addr_to_text(&addr, text));
    } else {
        sek_buf_add_text(out, "machine ");
        add_octets(out, &row[S_MAC]);
    }
    if (row[S_FROM].n)
        add_time(out, " from ", row[S_FROM].n);
}

static void span_says(const struct sek__cell *row, struct sek_buf *out)
{
    if (row[S_UNTIL].n == SEK_LEASE_OPEN_S)
        sek_buf_add_text(out, "without end");
    else
        add_time(out, row[S_ENDED].n ? "ended " : "until ", row[S_UNTIL].n);
    add_quoted(out, "mac", &row[S_MAC]);
    add_quoted(out, "name", &row[S_NAME]);
    add_quoted(out, "owner", &row[S_OWNER]);
    add_quoted(out, "group", &row[S_GROUP]);
}

/* --- dismissal ---------------------------------------------------------------------------------
 */

enum { D_DETECTOR, D_ENDPOINT, D_DOMAIN, D_TIME, D_FINDING, D_WHO, D_WHY };

static void dismissal_object(const struct sek__cell *row, const struct sek__list_names *lists,
                             struct sek_buf *out)
{
    (void)lists;
    sek_buf_add_text(out, "dismissal ");
    for (int i = D_DETECTOR; i <= D_DOMAIN; i++) {
        if (i > D_DETECTOR)
            sek_buf_add_text(out, " ");
        add_octets(out, &row[i]);
    }
}

static void dismissal_says(const struct sek__cell *row, struct sek_buf *out)
{
    sek_buf_add_fmt(out, "finding %" PRId64, row[D_FINDING].n);
    add_quoted(out, "by", &row[D_WHO]);
    add_quoted(out, "reason", &row[D_WHY]);
}

/* --- client_group, member ----------------------------------------------------------------------
 */

enum { G_ID, G_LIST, G_MODE, G_ACTION };

static void group_object(const struct sek__cell *row, const struct sek__list_names *lists,
                         struct sek_buf *out)
{
    const char *name = sek__list_name(lists, row[G_LIST].n);
    if (name)
        sek_buf_add_fmt(out, "group %s", name);
    else
        sek_buf_add_fmt(out, "group %" PRId64, row[G_ID].n);
}

static void group_says(const struct sek__cell *row, struct sek_buf *out)
{
    sek_buf_add_text(out, "allow-only ");
    add_word(out, sek_mode_names, &row[G_MODE]);
    sek_buf_add_text(out, ", action ");
    add_word(out, sek_action_names, &row[G_ACTION]);
}

enum { M_GROUP, M_NET, M_BITS, M_EXPIRES, M_CREATED, M_WHO, M_COMMENT };

static void member_object(const struct sek__cell *row, const struct sek__list_names *lists,
                          struct sek_buf *out)
{
    char text[SEK_NET_TEXT_MAX];
    struct sek_net net = {.bits = (uint8_t)row[M_BITS].n};
    const char *name = sek__group_name(lists, row[M_GROUP].n);
    if (row[M_NET].len != sizeof net.addr.octets || row[M_BITS].n < 0 || row[M_BITS].n > 128) {
        sek_buf_add_text(out, "(no valid member)");
    } else {
        memcpy(net.addr.octets, row[M_NET].data, sizeof net.addr.octets);
        sek_buf_add_fmt(out, "member %s", sek_net_to_text(&net, text));
    }
    if (name)
        sek_buf_add_fmt(out, " of group %s", name);
    else
        sek_buf_add_fmt(out, " of group %" PRId64, row[M_GROUP].n);
}

static void member_says(const struct sek__cell *row, struct sek_buf *out)
{
    if (row[M_EXPIRES].n)
        add_time(out, "until ", row[M_EXPIRES].n);
    else
        sek_buf_add_text(out, "for good");
    add_quoted(out, "by", &row[M_WHO]);
    add_quoted(out, "reason", &row[M_COMMENT]);
}

/* --- triage ------------------------------------------------------------------------------------
 */

enum { T_DOMAIN, T_ENDPOINT, T_STATE, T_TIME, T_WHO, T_NOTE };

static void triage_object(const struct sek__cell *row, const struct sek__list_names *lists,
                          struct sek_buf *out)
{
    (void)lists;
    sek_buf_add_text(out, "triage of ");
    add_octets(out, &row[T_DOMAIN]);
    sek_buf_add_text(out, " for ");
    add_octets(out, &row[T_ENDPOINT]);
}

static void triage_says(const struct sek__cell *row, struct sek_buf *out)
{
    add_word(out, sek_triage_names, &row[T_STATE]);
    add_time(out, " since ", row[T_TIME].n);
    add_quoted(out, "by", &row[T_WHO]);
    add_quoted(out, "note", &row[T_NOTE]);
}

/* --- incidents ---------------------------------------------------------------------------------
 */

enum { I_ID, I_STATE, I_TITLE, I_OPENED, I_WHO, I_CLOSED, I_CLOSED_BY, I_REASON };

static void incident_object(const struct sek__cell *row, const struct sek__list_names *lists,
                            struct sek_buf *out)
{
    (void)lists;
    sek_buf_add_fmt(out, "incident %" PRId64, row[I_ID].n);
}

static void incident_says(const struct sek__cell *row, struct sek_buf *out)
{
    add_word(out, sek_incident_state_names, &row[I_STATE]);
    add_quoted(out, "title", &row[I_TITLE]);
    if (row[I_CLOSED].n)
        add_time(out, ", closed ", row[I_CLOSED].n);
    add_quoted(out, "by", &row[I_CLOSED_BY]);
    add_quoted(out, "reason", &row[I_REASON]);
}

enum { U_INCIDENT, U_KIND, U_VALUE, U_ADDED, U_WHO };

static void subject_object(const struct sek__cell *row, const struct sek__list_names *lists,
                           struct sek_buf *out)
{
    (void)lists;
    sek_buf_add_fmt(out, "incident %" PRId64 " about ", row[U_INCIDENT].n);
    add_word(out, sek_incident_kind_names, &row[U_KIND]);
    sek_buf_add_text(out, " ");
    add_octets(out, &row[U_VALUE]);
}

static void subject_says(const struct sek__cell *row, struct sek_buf *out)
{
    add_time(out, "added ", row[U_ADDED].n);
    add_quoted(out, "by", &row[U_WHO]);
}

enum { O_ID, O_INCIDENT, O_TIME, O_WHO, O_TEXT };

static void note_object(const struct sek__cell *row, const struct sek__list_names *lists,
                        struct sek_buf *out)
{
    (void)lists;
    sek_buf_add_fmt(out, "incident %" PRId64 " note %" PRId64, row[O_INCIDENT].n, row[O_ID].n);
}

static void note_says(const struct sek__cell *row, struct sek_buf *out)
{
    add_time(out, "", row[O_TIME].n);
    add_quoted(out, "by", &row[O_WHO]);
    add_quoted(out, "text", &row[O_TEXT]);
}

/* --- exceptions ----------------------------------------------------------------------------------
 */

enum {
    X_ID,
    X_NAME,
    X_SCOPE,
    X_GROUPS,
    X_ENDPOINTS,
    X_TERMS,
    X_REASON,
    X_TICKET,
    X_CONDITION,
    X_ANSWERS,
    X_OWNER,
    X_START,
    X_LIFETIME,
    X_END,
    X_REVIEW
};

static void exception_object(const struct sek__cell *row, const struct sek__list_names *lists,
                             struct sek_buf *out)
{
    (void)lists;
    sek_buf_add_fmt(out, "exception %" PRId64, row[X_ID].n);
}

static void add_rule(struct sek_buf *out, const struct sek__cell *name, int64_t scope)
{
    char text[SEK_NAME_TEXT_MAX + 2];
    struct sek_name n;
    if (sek_namekey_to_name(name->data, name->len, &n) || scope < SEK_SCOPE_EXACT ||
        scope > SEK_SCOPE_BELOW)
        sek_buf_add_text(out, "(no valid rule)");
    else
        sek_buf_add(out, text, sek_rule_to_text((enum sek_scope)scope, n.octets, text));
}

static void exception_says(const struct sek__cell *row, struct sek_buf *out)
{
    char text[32];
    add_rule(out, &row[X_NAME], row[X_SCOPE].n);
    add_quoted(out, "groups", &row[X_GROUPS]);
    add_quoted(out, "endpoints", &row[X_ENDPOINTS]);
    add_quoted(out, "terms", &row[X_TERMS]);
    if (row[X_START].n)
        add_time(out, ", from ", row[X_START].n);
    if (row[X_END].n)
        add_time(out, ", until ", row[X_END].n);
    else if (row[X_LIFETIME].n)
        sek_buf_add_fmt(out, ", for %s",
                        sek_duration_to_text(row[X_LIFETIME].n, text, sizeof text));
    else
        sek_buf_add_text(out, ", unlimited");
    if (row[X_REVIEW].n)
        add_time(out, ", review ", row[X_REVIEW].n);
    add_quoted(out, "owner", &row[X_OWNER]);
    add_quoted(out, "reason", &row[X_REASON]);
    add_quoted(out, "ticket", &row[X_TICKET]);
    add_quoted(out, "condition", &row[X_CONDITION]);
    add_quoted(out, "answers", &row[X_ANSWERS]);
}

enum { S_EXCEPTION, S_NUMBER, S_ACT, S_TIME, S_UID, S_WHO, S_NOTE };

static void step_object(const struct sek__cell *row, const struct sek__list_names *lists,
                        struct sek_buf *out)
{
    (void)lists;
    sek_buf_add_fmt(out, "exception %" PRId64 " step %" PRId64, row[S_EXCEPTION].n,
                    row[S_NUMBER].n);
}

static void step_says(const struct sek__cell *row, struct sek_buf *out)
{
    add_word(out, sek_exception_act_names, &row[S_ACT]);
    add_quoted(out, "by", &row[S_WHO]);
    add_quoted(out, "note", &row[S_NOTE]);
}

/* --- feed --------------------------------------------------------------------------------------
 */

enum { F_LIST, F_KIND, F_SOURCE, F_ZONE };
enum { F_TSIG = 4, F_USER, F_FORMAT, F_REFRESH, F_RETRY, F_EXPIRE, F_ON_EXPIRY, F_TIMEOUT, F_SIZE };

static void feed_object(const struct sek__cell *row, const struct sek__list_names *lists,
                        struct sek_buf *out)
{
    const char *list = sek__list_name(lists, row[F_LIST].n);
    if (list)
        sek_buf_add_fmt(out, "feed %s", list);
    else
        sek_buf_add_fmt(out, "feed of list %" PRId64, row[F_LIST].n);
}

static void add_duration(struct sek_buf *out, const char *what, const struct sek__cell *cell)
{
    char text[32];
    if (cell->n > 0)
        sek_buf_add_fmt(out, ", %s %s", what, sek_duration_to_text(cell->n, text, sizeof text));
}

/* A command by its words. */
static void add_source(struct sek_buf *out, const struct sek__cell *kind,
                       const struct sek__cell *source)
{
    struct sek_buf text;
    if (kind->n != SEK_FEED_COMMAND || source->type != SEK_CELL_TEXT) {
        add_quoted(out, "source", source);
        return;
    }
    sek_buf_init(&text, 0);
    if (source->len)
        sek_buf_add(&text, source->data, source->len);
    for (char *rest = text.data, *word; (word = strsep(&rest, "\n"));) {
        sek_buf_add_text(out, " ");
        sek_json_add_text(out, word);
    }
    sek_buf_fini(&text);
}

static void feed_says(const struct sek__cell *row, struct sek_buf *out)
{
    char text[32];
    add_word(out, sek_feed_kind_names, &row[F_KIND]);
    add_source(out, &row[F_KIND], &row[F_SOURCE]);
    add_quoted(out, "zone", &row[F_ZONE]);
    add_quoted(out, "key", &row[F_TSIG]); /* its name and file: the secret is in the file alone */
    add_quoted(out, "user", &row[F_USER]);
    sek_buf_add_text(out, ", format ");
    add_word(out, sek_format_names, &row[F_FORMAT]);
    add_duration(out, "refresh", &row[F_REFRESH]);
    add_duration(out, "retry", &row[F_RETRY]);
    add_duration(out, "expire", &row[F_EXPIRE]);
    sek_buf_add_text(out, ", on expiry ");
    add_word(out, sek_feed_expiry_names, &row[F_ON_EXPIRY]);
    add_duration(out, "time-out", &row[F_TIMEOUT]);
    sek_buf_add_fmt(out, ", at most %s",
                    sek_size_to_text((uint64_t)row[F_SIZE].n, text, sizeof text));
}

/* Left out on purpose: list.n_entries, which follows from the entries; endpoint_import, a record of
 * what was done, which stays when that is undone; what came of a feed's tries, so that one that
 * comes back is as one never tried. */
const struct sek__journal_table sek__journal_tables[] = {
    {SEK_JOURNAL_LIST,
     "list",
     {"id", "name", "mode", "action", "priority", "ede", "source", "comment", "who", "created_s",
      "changed_s", "imported_s", "only_groups", "except_groups", "override", "kind"},
     1,
     14,
     list_object,
     list_says},
    {SEK_JOURNAL_ENTRY,
     "entry",
     {"list", "name", "scope", "action", "expires_s", "created_s", "who", "comment", "terms"},
     3,
     8,
     entry_object,
     entry_says},
    {3,
     "endpoint_span",
     {"subject", "from_s", "until_s", "ended", "seen_s", "mac", "name", "owner", "grp", "import"},
     2,
     0,
     span_object,
     span_says},
    {4,
     "dismissal",
     {"detector", "endpoint", "domain", "time_s", "finding", "who", "why"},
     3,
     0,
     dismissal_object,
     dismissal_says},
    {SEK_JOURNAL_GROUP,
     "client_group",
     {"id", "list", "mode", "action"},
     1,
     0,
     group_object,
     group_says},
    {SEK_JOURNAL_MEMBER,
     "member",
     {"client_group", "net", "bits", "expires_s", "created_s", "who", "comment"},
     3,
     0,
     member_object,
     member_says},
    {12,
     "triage",
     {"domain", "endpoint", "state", "time_s", "who", "note"},
     2,
     0,
     triage_object,
     triage_says},
    {SEK_JOURNAL_INCIDENT,
     "incident",
     {"id", "state", "title", "opened_s", "who", "closed_s", "closed_by", "reason"},
     1,
     0,
     incident_object,
     incident_says},
    {22,
     "incident_subject",
     {"incident", "kind", "value", "added_s", "who"},
     3,
     0,
     subject_object,
     subject_says},
    {23,
     "incident_note",
     {"id", "incident", "time_s", "who", "text"},
     1,
     0,
     note_object,
     note_says},
    {SEK_JOURNAL_EXCEPTION,
     "exception",
     {"id", "name", "scope", "client_groups", "endpoints", "terms", "reason", "ticket", "condition",
      "answers", "owner", "start_s", "lifetime_s", "end_s", "review_s"},
     1,
     0,
     exception_object,
     exception_says},
    {SEK_JOURNAL_STEP,
     "exception_step",
     {"exception", "number", "act", "time_s", "uid", "who", "note"},
     2,
     0,
     step_object,
     step_says},
    {SEK_JOURNAL_FEED,
     "feed",
     {"list", "kind", "source", "zone", "tsig", "user", "format", "refresh_s", "retry_s",
      "expire_s", "on_expiry", "timeout_s", "max_octets", "added_s"},
     1,
     0,
     feed_object,
     feed_says},
    {0, NULL, {NULL}, 0, 0, NULL, NULL},
};

const struct sek__journal_table *sek__journal_table(unsigned id)
{
    const struct sek__journal_table *t = sek__journal_tables;
    while (t->name && t->id != id)
        t++;
    return t->name ? t : NULL;
}

unsigned sek__journal_n_columns(const struct sek__journal_table *t)
{
    unsigned n = 0;
    while (n <= SEK_JOURNAL_COLUMNS && t->columns[n])
        n++;
    return n;
}
