/* SPDX-License-Identifier: BSD-3-Clause */
/* What the command line says of a feed: the SOURCE words and the options that feed add and feed set
 * share, and what each of them is when nobody gives it. One thread. */
#pragma once
#include "store/feeds.h"
#include "tools/context.h"

#define SEK_FEEDARG_TIMEOUT_MAX_S 86400
#define SEK_FEEDARG_SIZE_TEXT "1g"
#define SEK_FEEDARG_SIZE_MAX (1ULL << 30) /* more than the readers hold at once is of no use */

/* Places of the rows below; a command's own rows follow. */
enum sek_feedarg {
    SEK_FEEDARG_FROM,
    SEK_FEEDARG_AS,
    SEK_FEEDARG_TSIG,
    SEK_FEEDARG_USER,
    SEK_FEEDARG_REFRESH,
    SEK_FEEDARG_RETRY,
    SEK_FEEDARG_EXPIRE,
    SEK_FEEDARG_ON_EXPIRY,
    SEK_FEEDARG_TIMEOUT,
    SEK_FEEDARG_SIZE,
    SEK_FEEDARG_N
};

#define SEK_FEEDARG_ROWS                                                                           \
    [SEK_FEEDARG_FROM] = {"from", 0, SEK_ARG_CHOICE, NULL, "what SOURCE is", sek_feed_kind_names}, \
    [SEK_FEEDARG_AS] = {"as",                                                                      \
                        0,                                                                         \
                        SEK_ARG_CHOICE,                                                            \
                        NULL,                                                                      \
                        "format of the list; default: found out",                                  \
                        sek_format_names},                                                         \
    [SEK_FEEDARG_TSIG] = {"tsig", 0, SEK_ARG_TEXT, "NAME:ALGORITHM:FILE",                          \
                          "key of a transfer; FILE holds the secret in base64"},                   \
    [SEK_FEEDARG_USER] = {"user", 'u', SEK_ARG_TEXT, "USER",                                       \
                          "whom a command runs as; default: feeds.user"},                          \
    [SEK_FEEDARG_REFRESH] = {"refresh", 0, SEK_ARG_DURATION, "TIME",                               \
                             "between two updates; default 1h, of a zone what its SOA says"},      \
    [SEK_FEEDARG_RETRY] = {"retry", 0, SEK_ARG_DURATION, "TIME",                                   \
                           "after one that failed; default 15m, of a zone what its SOA says"},     \
    [SEK_FEEDARG_EXPIRE] = {"expire", 0, SEK_ARG_DURATION, "TIME",                                 \
                            "without a good one: it expires; default 1w, of a zone what its SOA "  \
                            "says"},                                                               \
    [SEK_FEEDARG_ON_EXPIRY] =                                                                      \
        {"on-expiry",                                                                              \
         0,                                                                                        \
         SEK_ARG_CHOICE,                                                                           \
         NULL,                                                                                     \
         "keep: the list stays in force (default); open: it is switched off",                      \
         sek_feed_expiry_names},                                                                   \
    [SEK_FEEDARG_TIMEOUT] = {"timeout", 0, SEK_ARG_DURATION, "TIME",                               \
                             "for fetching it; default 10m"},                                      \
    [SEK_FEEDARG_SIZE] = {"max-size", 0, SEK_ARG_TEXT, "SIZE",                                     \
                          "of the list; default " SEK_FEEDARG_SIZE_TEXT}

/* As if that option had not been given. */
void sek_feedargs_default(struct sek_feed_row *row, enum sek_feedarg which);
/* Put what is given in place of what the row has (a new one: .kind is 0, and all else default). A
 * source of another kind brings neither key, user nor format with it. Wrong use and its like: in
 * c->diag. */
enum sek_err sek_feedargs_take(struct sek_context *c, struct sek_feed_row *row);
