/* SPDX-License-Identifier: BSD-3-Clause */
/* privacy key: the key of pseudonyms; reveal: whom one stands for. */
#include "tools/change/audited.h"
#include "tools/change/change.h"
#include "store/pseudonym.h"
#include "tools/command.h"
#include "tools/print/talk.h"
#include "tools/privacy/known.h"
#include "tools/roles.h"
#include <stdio.h>
#include <string.h>
#include "base/banned.h"

SEK_COMMAND(privacy_key);
SEK_COMMAND(reveal);

enum { OPT_REPLACE, OPT_KEY_REASON, N_KEY };
const struct sek_arg sek_cmd_privacy_key_args[] = {
    [OPT_REPLACE] = {"replace", 0, SEK_ARG_FLAG, NULL, "another key in place of the one there is",
                     NULL, 0, 0},
    [OPT_KEY_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why, for the audit trail", NULL, 0,
                        0},
    [N_KEY] = {0},
};
enum { OPT_NETWORK, OPT_REASON, N_REVEAL };
const struct sek_arg sek_cmd_reveal_args[] = {
    [OPT_NETWORK] = {"network", 0, SEK_ARG_TEXT, "NETWORK",
                     "try its addresses, too: of endpoints that are forgotten", NULL, 0, 0},
    [OPT_REASON] = {"reason", 'r', SEK_ARG_TEXT, "TEXT", "why, for the audit trail; required", NULL,
                    0, 0},
    [N_REVEAL] = {0},
};

/* First the trail, then the key. */
static enum sek_err record_key(void *arg)
{
    struct sek_context *c = arg;
    return sek_audited_record(
        c, &c->conf,
        &(struct sek_audit_act){.object = "key of pseudonyms",
                                .before = c->opt[OPT_REPLACE].given ? "another key" : "",
                                .after = "a new key"});
}

enum sek_err sek_cmd_privacy_key(struct sek_context *c)
{
    const struct sek_conf *conf;
    bool replace = c->opt[OPT_REPLACE].given;
    enum sek_err err = sek_context_conf(c, &conf);
    if (!err)
        err = sek_roles_admit_writer(c);
    if (!err)
        err = sek_pseudonym_key_make(conf->privacy.key, replace, record_key, c, &c->diag);
    if (!err)
        sek_talk("%s: a new key%s", conf->privacy.key,
                 replace ? "; what was shown by the old one cannot be revealed any more" : "");
    return err;
}

struct search {
    uint8_t key[SEK_PSEUDONYM_KEY];
    const char *pseudonym;
    bool found;
    struct sek_addr endpoint;
};

static bool look(void *arg, const struct sek_addr *endpoint)
{
    struct search *s = arg;
    char pseudonym[SEK_PSEUDONYM_MAX];
    if (strcmp(sek_pseudonym(s->key, endpoint, pseudonym), s->pseudonym) != 0)
        return true;
    s->found = true;
    s->endpoint = *endpoint;
    return false;
}

#define TRIED_BITS 24 /* 16 million addresses, some 20 s */

static enum sek_err try_network(struct sek_context *c, struct search *s, const char *text)
{
    struct sek_net net;
    enum sek_err err = sek_net_from_text(text, &net, &c->diag);
    if (err) {
        c->exit = SEK_EXIT_USAGE;
        return err;
    }
    if (net.bits < 128 - TRIED_BITS)
        return sek_context_usage(c, "--network: %.60s is too large: at most %d bits are tried",
                                 text, TRIED_BITS);
    for (uint32_t i = 0; i < 1U << (128 - net.bits) && !s->found; i++) {
        struct sek_addr addr = net.addr;
        for (int k = 0; k < 4; k++)
            addr.octets[15 - k] |= (uint8_t)(i >> (8 * k));
        look(s, &addr);
    }
    return SEK_OK;
}

/* The key is its owner's alone: who may read it, and write the trail, may do so. */
static enum sek_err reveal(struct sek_context *c, const struct sek_conf *conf, struct search *s)
{
    char address[SEK_ADDR_TEXT_MAX];
    enum sek_err err = sek_pseudonym_key_read(conf->privacy.key, s->key, &c->diag);
    if (!err)
        err = sek_known_endpoints(conf, look, s, &c->diag);
    if (!err && !s->found && c->opt[OPT_NETWORK].given)
        err = try_network(c, s, c->opt[OPT_NETWORK].text);
    if (err)
        return err;
    if (!s->found)
        return sek_context_none(c, "%s stands for no endpoint that is known", s->pseudonym);
    /* first the trail, then the answer */
    err = sek_audited_record(
        c, conf,
        &(struct sek_audit_act){.object = s->pseudonym, .before = "", .after = "revealed"});
    if (!err)
        puts(sek_addr_to_text(&s->endpoint, address));
    return err;
}

enum sek_err sek_cmd_reveal(struct sek_context *c)
{
    const struct sek_conf *conf;
    struct search s = {.pseudonym = c->args[0]};
    enum sek_err err = sek_context_conf(c, &conf);
    if (!err)
        err = sek_roles_admit_writer(c);
    if (err)
        return err;
    if (!sek_pseudonym_is(s.pseudonym))
        return sek_context_usage(c, "reveal: a pseudonym is p- and 16 hexadecimal digits");
    if (!c->opt[OPT_REASON].given || !*c->opt[OPT_REASON].text)
        return sek_context_usage(c, "--reason is required: it goes into the audit trail");
    err = reveal(c, conf, &s);
    explicit_bzero(s.key, sizeof s.key);
    return err;
}
