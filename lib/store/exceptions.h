/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions as a process, in policy.db: somebody asks, somebody else decides, and it ends.
 *
 * What was asked for is one row; what became of it are steps, which are only ever added. Where an
 * exception stands follows from its steps and from the clock, by one pure function; nothing has to
 * run for it to begin, to expire, or to be over: the rule that the engine reads has its start and
 * its end itself.
 *
 * Its rules stand in lists of their own (list.source SEK_EXCEPTIONS_SOURCE), so that nothing that
 * people put there by hand is in their way: "exceptions" for everybody, "GROUP-exceptions" for a
 * group, "exception-ID" for single endpoints, where the rule itself says for which (its term
 * "endpoint"), so that there may be as many as are wanted. One with terms, or with a start that is
 * later than its approval, has its rule in "exception-ID" in any case ("exception-ID-groups" beside
 * it if it is for groups and endpoints): a list holds one rule for a name, and these would be in
 * each other's way.
 *
 * Writers work within a transaction of store/policydb.h. One thread. */
#pragma once
#include "base/buf.h"
#include "name/text.h"
#include "store/policydb.h"

#define SEK_EXCEPTIONS_LIST "exceptions"
#define SEK_EXCEPTIONS_SOURCE "exceptions"
#define SEK_EXCEPTION_EMERGENCY_S (4 * 3600) /* at most */
#define SEK_EXCEPTION_REVIEW_S                                                                     \
    (366LL * 86400) /* at most between two reviews of an unlimited one                             \
                     */

/* Stored: never renumber. */
enum sek_exception_act {
    SEK_EXCEPTION_REQUEST = 1,
    SEK_EXCEPTION_APPROVE = 2,
    SEK_EXCEPTION_REJECT = 3,
    SEK_EXCEPTION_EMERGENCY = 4, /* in force at once, to be reviewed */
    SEK_EXCEPTION_REVOKE = 5,
    SEK_EXCEPTION_REVIEW = 6, /* looked at, and it may stay */
    SEK_EXCEPTION_ARCHIVE = 7,
};
extern const struct sek_lookup sek_exception_act_names[]; /* "requested" "approved" … */

struct sek_exception_step {
    uint8_t act; /* enum sek_exception_act; 0: it did not happen */
    int64_t time_s;
    int64_t uid; /* with `who`: the person */
    char who[64];
    char note[256];
};

struct sek_exception {
    int64_t id; /* from 1, never used again */
    struct sek_name name;
    uint8_t scope;        /* enum sek_scope */
    char groups[512];     /* names, with a blank between two; "" and no endpoints: everybody */
    char endpoints[1024]; /* networks and addresses, likewise; of one that is over perhaps a word in
                             place of a forgotten endpoint (store/policydb_forget.h) */
    char terms[SEK_TERMS_TEXT_MAX]; /* question types and hours, as an entry's; "": always */
    char reason[256], ticket[64], condition[256], owner[64];
    char answers[64];   /* "hit 12", "finding 3", "decision 1a2b3c4d": what made somebody ask */
    int64_t start_s;    /* 0: as soon as it is approved; once it is, when that was */
    int64_t lifetime_s; /* from its start; 0: end_s says when, or it is unlimited */
    int64_t end_s;      /* 0: not known before it is approved, or unlimited */
    int64_t review_s;   /* when it is to be looked at; 0: an end is enough */
    /* The last step of each kind. `decided` is APPROVE, REJECT or EMERGENCY. */
    struct sek_exception_step requested, decided, revoked, reviewed, archived;
};

enum sek_exception_state {
    SEK_EXCEPTION_REQUESTED = 1,
    SEK_EXCEPTION_APPROVED, /* and not begun */
    SEK_EXCEPTION_ACTIVE,
    SEK_EXCEPTION_EXPIRING, /* active, and about to end */
    SEK_EXCEPTION_EXPIRED,
    SEK_EXCEPTION_REJECTED,
    SEK_EXCEPTION_REVOKED,
    SEK_EXCEPTION_ARCHIVED,
};
extern const struct sek_lookup sek_exception_state_names[]; /* "requested" "approved" … */

/* Where it stands at that time. Expiring: warn_s or less to its end, and a quarter or less of its
 * time. A request whose own end passes undecided has expired. Pure; any thread. */
enum sek_exception_state sek_exception_state(const struct sek_exception *e, int64_t now_s,
                                             int64_t warn_s);
/* Whether it lets something through then, as far as its terms go. */
bool sek_exception_in_force(const struct sek_exception *e, int64_t now_s);
/* Whether its rule is to be there: in force, or approved and to begin. */
bool sek_exception_has_rule(const struct sek_exception *e, int64_t now_s);
/* Whether it begins later than it was approved. */
bool sek_exception_is_later(const struct sek_exception *e);
/* An emergency that nobody reviewed; it stays so after its end. */
bool sek_exception_is_emergency_open(const struct sek_exception *e);
/* For everybody, not for groups or endpoints. */
bool sek_exception_is_wide(const struct sek_exception *e);
/* "a, b, 192.0.2.7", "everybody". */
void sek_exception_audience(const struct sek_exception *e, struct sek_buf *out);
/* Walk words with a blank between two: copies the next into out; NULL at the end. */
const char *sek_exception_word(const char *at, char *out, size_t size);

/* Add it with its first step, e->requested (of an emergency e->decided as well); e->id is filled
 * in. INVALID for values that none may have. */
enum sek_err sek_exception_add(struct sek_policydb *db, struct sek_exception *e,
                               struct sek_diag *diag);
/* One more step; e follows. What comes after it (rules) is the caller's. */
enum sek_err sek_exception_step(struct sek_policydb *db, struct sek_exception *e,
                                const struct sek_exception_step *step, struct sek_diag *diag);
/* Store start_s, lifetime_s, end_s, review_s and owner of e. */
enum sek_err sek_exception_set(struct sek_policydb *db, const struct sek_exception *e,
                               struct sek_diag *diag);
/* NOTFOUND, without a diagnosis. */
enum sek_err sek_exception_get(struct sek_policydb *db, int64_t id, struct sek_exception *out,
                               struct sek_diag *diag);
/* In order of their ids; no lock is held while fn has one. false stops. archived: those too. */
typedef bool sek_exception_fn(void *arg, const struct sek_exception *e);
enum sek_err sek_exceptions(struct sek_policydb *db, bool archived, sek_exception_fn *fn, void *arg,
                            struct sek_diag *diag);
/* Those at exactly this name, archived ones left out. */
enum sek_err sek_exceptions_at(struct sek_policydb *db, const struct sek_name *name,
                               sek_exception_fn *fn, void *arg, struct sek_diag *diag);
/* All steps of one, oldest first. */
typedef bool sek_exception_step_fn(void *arg, const struct sek_exception_step *step);
enum sek_err sek_exception_steps(struct sek_policydb *db, int64_t id, sek_exception_step_fn *fn,
                                 void *arg, struct sek_diag *diag);

/* Bring the rules of the lists above to what the exceptions approved and not over at now_s want, no
 * more and no less: of several without terms for the same name and audience the longest counts.
 * Lists made for exceptions that are over go; an exception for a group that is gone has no rule
 * there. *out_changed: rules differ. who: makes
 * lists and groups. */
/* doubted: numbers of exceptions that are not what the trail says (store/audit.h), which get no
 * rule that they do not have; those that they have stay while they want any. NULL: none. */
struct sek_exceptions_doubted {
    const int64_t *ids;
    size_t n;
};
enum sek_err sek_exceptions_enforce(struct sek_policydb *db, const char *who, int64_t now_s,
                                    const struct sek_exceptions_doubted *doubted, bool *out_changed,
                                    struct sek_diag *diag);
/* The lists that its rules stand in, as words; false: too long a name for a list. */
bool sek_exception_lists(const struct sek_exception *e, char *out, size_t size);

struct sek_exceptions_sum {
    unsigned n[SEK_EXCEPTION_ARCHIVED + 1]; /* by enum sek_exception_state */
    unsigned n_emergency_open, n_review_due;
    int64_t emergency; /* id of the latest open emergency; 0: none */
    bool emergency_in_force;
    char emergency_rule[SEK_NAME_TEXT_MAX + 2];
    int64_t next_end_s; /* of those in force; 0: none ends */
};
enum sek_err sek_exceptions_sum(struct sek_policydb *db, int64_t now_s, int64_t warn_s,
                                struct sek_exceptions_sum *out, struct sek_diag *diag);
/* Of open emergencies only, without a look at the others. */
enum sek_err sek_exceptions_emergencies(struct sek_policydb *db, int64_t now_s,
                                        struct sek_exceptions_sum *out, struct sek_diag *diag);
