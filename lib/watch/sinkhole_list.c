/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/sinkhole_list.h"
#include "base/buf.h"
#include "base/pairs.h"
#include "base/utf8.h"
#include "policy/about.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/banned.h"

#define OPERATOR_MAX 80 /* octets */

struct net {
    struct sek_net net;
    unsigned row;
};

struct server {
    uint8_t len, scope; /* enum sek_scope */
    uint8_t octets[SEK_NAME_MAX];
    unsigned row;
};

struct sek_sinkholes {
    struct net *nets; /* longest prefix first, then by address */
    struct server *servers;
    unsigned n_nets, n_servers, max_labels;
    unsigned n_lengths; /* of prefixes, and where the nets of each begin; then n_nets */
    unsigned lengths[130];
    struct sek_buf texts; /* of each row: what, NUL, operator, NUL */
    uint32_t *text_at;
    unsigned n_rows, room;
};

/* --- made ---------------------------------------------------------------------------------------
 */

static bool has_room(struct sek_sinkholes *s)
{
    if (s->n_rows < s->room)
        return true;
    unsigned room = s->room ? 2 * s->room : 64;
    struct net *nets = realloc(s->nets, room * sizeof *nets);
    s->nets = nets ? nets : s->nets;
    struct server *servers = realloc(s->servers, room * sizeof *servers);
    s->servers = servers ? servers : s->servers;
    uint32_t *text_at = realloc(s->text_at, room * sizeof *text_at);
    s->text_at = text_at ? text_at : s->text_at;
    if (!nets || !servers || !text_at)
        return false;
    s->room = room;
    return true;
}

static enum sek_err add_server(struct sek_sinkholes *s, const char *text, struct sek_diag *diag)
{
    struct sek_name owner, name;
    enum sek_scope scope;
    enum sek_err err = sek_about_from_text(text, strlen(text), &scope, &owner, diag);
    if (err == SEK_E_NOTFOUND || (err == SEK_OK && sek_about_of(&owner) != SEK_ABOUT_NSDNAME))
        return sek_diag_set(diag, SEK_E_INVALID,
                            "\"%.80s\" is neither an address, a network nor nsdname:NAME", text);
    if (err != SEK_OK)
        return err;
    sek_about_to_server(&owner, &name);
    if (name.n_labels < 2)
        return sek_diag_set(diag, SEK_E_INVALID, "\"%.80s\" covers a whole top-level domain", text);
    struct server *server = &s->servers[s->n_servers++];
    *server = (struct server){.len = name.len, .scope = (uint8_t)scope, .row = s->n_rows + 1};
    memcpy(server->octets, name.octets, name.len);
    s->max_labels = name.n_labels > s->max_labels ? name.n_labels : s->max_labels;
    return SEK_OK;
}

static enum sek_err add(void *arg, const char *what, const char *by, struct sek_diag *diag)
{
    struct sek_sinkholes *s = arg;
    struct sek_net net;
    if (s->n_rows == SEK_SINKHOLE_ROWS_MAX)
        return sek_diag_set(diag, SEK_E_LIMIT, "more than %u rows", SEK_SINKHOLE_ROWS_MAX);
    if (!*by || strlen(by) > OPERATOR_MAX || !sek_utf8_is_valid(by, strlen(by)))
        return sek_diag_set(diag, SEK_E_INVALID, "the operator is no text of 1 to %u octets",
                            OPERATOR_MAX);
    if (!has_room(s))
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for sinkholes");
    if (!strchr(what, ':') || sek_net_from_text(what, &net, NULL) == SEK_OK) {
        enum sek_err err = sek_net_from_text(what, &net, diag);
        if (err != SEK_OK)
            return err;
        if (net.bits < (sek_addr_is_v4(&net.addr) ? 96 + 8 : 16))
            return sek_diag_set(diag, SEK_E_INVALID, "\"%.80s\" is too much of the Internet", what);
        s->nets[s->n_nets++] = (struct net){net, s->n_rows + 1};
    } else {
        enum sek_err err = add_server(s, what, diag);
        if (err != SEK_OK)
            return err;
    }
    s->text_at[s->n_rows++] = (uint32_t)s->texts.len;
    sek_buf_add(&s->texts, what, strlen(what) + 1);
    sek_buf_add(&s->texts, by, strlen(by) + 1);
    return s->texts.failed ? sek_diag_set(diag, SEK_E_NOMEM, "out of memory for sinkholes")
                           : SEK_OK;
}

static enum sek_err add_file(struct sek_sinkholes *s, const char *path, struct sek_diag *diag)
{
    const struct sek_pairs pairs = {.shape = "what<TAB>operator",
                                    .none = "it has no sinkhole",
                                    .max_octets = SEK_SINKHOLE_FILE_MAX,
                                    .row = add,
                                    .arg = s};
    return sek_pairs_read(path, &pairs, diag);
}

static int net_order(const void *a, const void *b)
{
    const struct net *x = a, *y = b;
    if (x->net.bits != y->net.bits)
        return x->net.bits > y->net.bits ? -1 : 1;
    return memcmp(&x->net.addr, &y->net.addr, sizeof x->net.addr);
}

static int server_order(const void *a, const void *b)
{
    const struct server *x = a, *y = b;
    return x->len != y->len ? (x->len < y->len ? -1 : 1) : memcmp(x->octets, y->octets, x->len);
}

static void settle(struct sek_sinkholes *s)
{
    if (s->n_nets)
        qsort(s->nets, s->n_nets, sizeof *s->nets, net_order);
    if (s->n_servers)
        qsort(s->servers, s->n_servers, sizeof *s->servers, server_order);
    for (unsigned i = 0; i < s->n_nets; i++)
        if (i == 0 || s->nets[i].net.bits != s->nets[i - 1].net.bits)
            s->lengths[s->n_lengths++] = i;
    s->lengths[s->n_lengths] = s->n_nets;
}

enum sek_err sek_sinkholes_open(const char *path, struct sek_sinkholes **out, struct sek_diag *diag)
{
    struct sek_sinkholes *s = calloc(1, sizeof *s);
    enum sek_err err = SEK_OK;
    if (!s)
        return sek_diag_set(diag, SEK_E_NOMEM, "out of memory for sinkholes");
    sek_buf_init(&s->texts, 0);
    if (*path)
        err = add_file(s, path, diag);
    for (const struct sek_sinkhole_row *row = sek_sinkhole_rows; !*path && !err && row->what; row++)
        err = add(s, row->what, row->by, diag);
    if (err != SEK_OK) {
        sek_sinkholes_close(s);
        return err;
    }
    settle(s);
    *out = s;
    return SEK_OK;
}

void sek_sinkholes_close(struct sek_sinkholes *s)
{
    if (!s)
        return;
    sek_buf_fini(&s->texts);
    free(s->nets);
    free(s->servers);
    free(s->text_at);
    free(s);
}

/* --- asked --------------------------------------------------------------------------------------
 */

unsigned sek_sinkholes_address(const struct sek_sinkholes *s, const struct sek_addr *a)
{
    for (unsigned i = 0; i < s->n_lengths; i++) {
        const struct net *first = &s->nets[s->lengths[i]];
        const struct net key = {.net = sek_net_around(a, first->net.bits)};
        const struct net *found =
            bsearch(&key, first, s->lengths[i + 1] - s->lengths[i], sizeof key, net_order);
        if (found)
            return found->row;
    }
    return 0;
}

unsigned sek_sinkholes_server(const struct sek_sinkholes *s, const struct sek_name *server)
{
    unsigned depth = server->n_labels > s->max_labels ? server->n_labels - s->max_labels : 0;
    for (; s->n_servers && depth + 1 < server->n_labels; depth++) {
        struct server key = {.len = (uint8_t)(server->len - server->offset[depth])};
        memcpy(key.octets, server->octets + server->offset[depth], key.len);
        const struct server *found =
            bsearch(&key, s->servers, s->n_servers, sizeof key, server_order);
        while (found && found > s->servers && server_order(found - 1, &key) == 0)
            found--; /* "=name" and "name" may stand side by side */
        for (; found && found < s->servers + s->n_servers && server_order(found, &key) == 0;
             found++)
            if (sek_scope_covers(found->scope, depth))
                return found->row;
    }
    return 0;
}

bool sek_sinkholes_have_servers(const struct sek_sinkholes *s)
{
    return s->n_servers > 0;
}

const char *sek_sinkholes_what(const struct sek_sinkholes *s, unsigned row)
{
    return row > 0 && row <= s->n_rows ? s->texts.data + s->text_at[row - 1] : "";
}

const char *sek_sinkholes_operator(const struct sek_sinkholes *s, unsigned row)
{
    const char *what = sek_sinkholes_what(s, row);
    return *what ? what + strlen(what) + 1 : what;
}

unsigned sek_sinkholes_rows(const struct sek_sinkholes *s)
{
    return s->n_rows;
}

size_t sek_sinkholes_octets(const struct sek_sinkholes *s)
{
    return sizeof *s + s->texts.size +
           s->room * (sizeof *s->nets + sizeof *s->servers + sizeof *s->text_at);
}
