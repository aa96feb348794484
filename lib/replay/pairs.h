/* SPDX-License-Identifier: BSD-3-Clause */
/* Queries and their responses, which come as records of their own, made into one event each.
 * Queries leave in the order in which they came: one waits in a queue for its response, and as long
 * as one in front of it waits. It waits until the records' own time is SEK_PAIRS_WAIT_MS later and
 * SEK_PAIRS_MORE others have come; a response that is later than that is dropped, as is a second
 * one. The queue holds SEK_PAIRS_MAX; when it is nearly full the oldest leaves without its
 * response. What is complete is to be taken after each record. One thread at a time. */
#pragma once
#include "event/event.h"

#define SEK_PAIRS_MAX 65536     /* queries; about 55 MB, less while fewer wait */
#define SEK_PAIRS_MORE 512      /* events behind a query that waits in vain */
#define SEK_PAIRS_WAIT_MS 5000  /* what stub resolvers wait at least before they give up */
#define SEK_PAIRS_BACK_MS 60000 /* an answered query is remembered; times out of order */

struct sek_pairs;

/* NULL: out of memory. */
struct sek_pairs *sek_pairs_new(void);
void sek_pairs_free(struct sek_pairs *p);

/* What a response has in common with its query. What the records do not tell is zero. */
struct sek_pair {
    struct sek_addr client, server;
    uint16_t client_port, server_port, id, qtype;
    const struct sek_name *name;
};
uint64_t sek_pairs_key(const struct sek_pairs *p, const struct sek_pair *pair);

enum sek_repeat {
    SEK_REPEAT_IS_ANOTHER, /* the same key again is another query */
    SEK_REPEAT_IS_SAME,    /* a retransmission, while it waits */
};
/* A query; *e says what is true of it when no response comes. */
void sek_pairs_ask(struct sek_pairs *p, uint64_t key, enum sek_repeat repeat,
                   const struct sek_event *e);
/* A response: outcome, existence, ttl_s, answer_octets and addresses of *e go to the oldest query
 * that waits for it. A second one is dropped. Without a query *e is the event; IS_SAME: only once.
 */
void sek_pairs_answer(struct sek_pairs *p, uint64_t key, enum sek_repeat repeat,
                      const struct sek_event *e);
/* Something about all queries that wait with this key, of which more may come: outcome and
 * existence unless the name is only said to exist, addresses where the type is theirs. None leaves
 * because of it. */
void sek_pairs_amend(struct sek_pairs *p, uint64_t key, const struct sek_event *e);
/* An event that waits for nothing. */
void sek_pairs_pass(struct sek_pairs *p, const struct sek_event *e);
/* The next event that is complete. False: none is. */
bool sek_pairs_take(struct sek_pairs *p, struct sek_event *out);
/* No more records come: nobody waits any longer. */
void sek_pairs_end(struct sek_pairs *p);
