/* SPDX-License-Identifier: BSD-3-Clause */
#include "exportline.h"
#include "policy/records.h"
#include <inttypes.h>
#include <string.h>
#include "base/banned.h"

#define TYPE_NS 2 /* RFC 1035 §3.2.2: there it would cut the zone off */

bool sek_rpz_fits(const struct sek_name *name, bool below, size_t zone_len)
{
    if (name->n_labels == 0)
        return below; /* the very root would be the zone's own name */
    if (name->len - 1U + zone_len + (below ? 2 : 0) > SEK_NAME_MAX)
        return false;
    for (unsigned i = 0; i < name->n_labels; i++) {
        const uint8_t *label = name->octets + name->offset[i];
        if (label[0] == 1 && label[1] == '*')
            return false;
    }
    const uint8_t *last = name->octets + name->offset[name->n_labels - 1];
    return !(last[0] >= 4 && memcmp(last + 1, "rpz-", 4) == 0);
}

/* "": addresses instead. NULL: there is no such action. */
static const char *rpz_target(enum sek_action action)
{
    static const char *const targets[SEK_ACTION_MAX + 1] = {[SEK_ACTION_PASSTHRU] = "rpz-passthru.",
                                                            [SEK_ACTION_NXDOMAIN] = ".",
                                                            [SEK_ACTION_NODATA] = "*.",
                                                            [SEK_ACTION_SINKHOLE] = "",
                                                            [SEK_ACTION_DROP] = "rpz-drop.",
                                                            [SEK_ACTION_TCP_ONLY] =
                                                                "rpz-tcp-only."};
    return action <= SEK_ACTION_MAX ? targets[action] : NULL;
}

bool sek_rpz_has(enum sek_action action)
{
    return rpz_target(action) != NULL;
}

/* What stands before a record's type. */
static void print_head(FILE *out, const char *text, bool below, uint32_t ttl_s)
{
    fprintf(out, "%s%s ", !below ? "" : *text ? "*." : "*", text);
    if (ttl_s)
        fprintf(out, "%" PRIu32 " ", ttl_s);
}

void sek_rpz_print(FILE *out, const struct sek_conf *conf, const char *text, bool below,
                   enum sek_action action, uint32_t ttl_s)
{
    const char *target = rpz_target(action);
    char address[SEK_ADDR_TEXT_MAX];
    if (!target)
        return;
    print_head(out, text, below, *target ? 0 : ttl_s);
    if (*target) {
        fprintf(out, "CNAME %s\n", target);
        return;
    }
    fprintf(out, "A %s\n", sek_addr_to_text(&conf->answer.ipv4, address));
    print_head(out, text, below, ttl_s);
    fprintf(out, "AAAA %s\n", sek_addr_to_text(&conf->answer.ipv6, address));
}

/* A CNAME to there is an action of RPZ (draft-vixie-dnsop-dns-rpz §3), no record. */
static bool is_action(const struct sek_record *r)
{
    const uint8_t *target = r->data;
    static const char special[] = "\1*\0", rpz[] = "rpz-";
    bool one_label = r->n >= 2 && target[0] + 2U == r->n;
    return r->type == SEK_TYPE_CNAME &&
           (r->n == 1 || (r->n == sizeof special - 1 && !memcmp(target, special, r->n)) ||
            (one_label && target[0] >= 4 && !memcmp(target + 1, rpz, 4)));
}

bool sek_rpz_has_data(const uint8_t *data, size_t n)
{
    const uint8_t *at = data;
    struct sek_record r;
    while (sek_record_next(&at, data + n, &r))
        if (r.type == TYPE_NS || is_action(&r))
            return false;
    return n > 0;
}

void sek_rpz_print_data(FILE *out, const char *text, bool below, const uint8_t *data, size_t n,
                        uint32_t ttl_s)
{
    const uint8_t *at = data;
    struct sek_record r;
    struct sek_buf record;
    sek_buf_init(&record, 0);
    while (sek_record_next(&at, data + n, &r)) {
        sek_buf_reset(&record);
        if (r.type == SEK_TYPE_TTL || sek_record_to_text(&r, &record) != SEK_OK || !record.data)
            continue;
        print_head(out, text, below, sek_record_ttl(data, n, r.type, ttl_s));
        fprintf(out, "%s\n", record.data);
    }
    sek_buf_fini(&record);
}

void sek_unbound_print_addresses(FILE *out, const struct sek_conf *conf, const char *text)
{
    char address[SEK_ADDR_TEXT_MAX];
    fprintf(out, "local-data: \"%s. %" PRId64 " IN A %s\"\n", text, conf->answer.ttl_s,
            sek_addr_to_text(&conf->answer.ipv4, address));
    fprintf(out, "local-data: \"%s. %" PRId64 " IN AAAA %s\"\n", text, conf->answer.ttl_s,
            sek_addr_to_text(&conf->answer.ipv6, address));
}

/* What Unbound's always_null answers with. */
static bool is_null(const struct sek_conf *conf)
{
    static const struct sek_addr v4 = {.octets = {[10] = 0xff, [11] = 0xff}}, v6;
    return memcmp(conf->answer.ipv4.octets, v4.octets, sizeof v4.octets) == 0 &&
           memcmp(conf->answer.ipv6.octets, v6.octets, sizeof v6.octets) == 0;
}

bool sek_unbound_print(FILE *out, const struct sek_conf *conf, const char *text,
                       enum sek_action action)
{
    static const char *const types[SEK_ACTION_MAX + 1] = {[SEK_ACTION_PASSTHRU] =
                                                              "always_transparent",
                                                          [SEK_ACTION_LOG] = "inform",
                                                          [SEK_ACTION_NXDOMAIN] = "always_nxdomain",
                                                          [SEK_ACTION_NODATA] = "always_nodata",
                                                          [SEK_ACTION_SINKHOLE] = "always_null",
                                                          [SEK_ACTION_REFUSED] = "always_refuse",
                                                          [SEK_ACTION_DROP] = "always_deny"};
    const char *type = action <= SEK_ACTION_MAX ? types[action] : NULL;
    if (!type)
        return false;
    bool addresses = action == SEK_ACTION_SINKHOLE && !is_null(conf);
    fprintf(out, "local-zone: \"%s\" %s\n", text, addresses ? "redirect" : type);
    if (addresses)
        sek_unbound_print_addresses(out, conf, text);
    return true;
}
