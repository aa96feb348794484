/* SPDX-License-Identifier: BSD-3-Clause */
/* Networks and countries, from databases as different makers write them; files that come, change,
 * and go. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mmdb_samples.h"
#include "observe/geo.h"
#include <fcntl.h>
#include <unistd.h>

/* Records as makers write them: keys and values, "{" and "}" for a map within, "#" for a number. */
static const struct {
    const char *maker;
    const char *fields[16];
    uint32_t asn;
    const char *network, *country;
} makers[] = {
    {"GeoLite2-ASN",
     {"autonomous_system_number", "#64496", "autonomous_system_organization", "One"},
     64496,
     "One",
     ""},
    {"GeoLite2-Country",
     {"registered_country", "{", "iso_code", "CH", "}", "country", "{", "iso_code", "DE", "}"},
     0,
     "",
     "DE"},
    {"no country of the user", {"registered_country", "{", "iso_code", "CH", "}"}, 0, "", "CH"},
    {"GeoIP2-Enterprise",
     {"traits", "{", "autonomous_system_number", "#64497", "autonomous_system_organization", "Two",
      "}", "country", "{", "iso_code", "us", "}"},
     64497,
     "Two",
     "US"},
    {"ipinfo asn",
     {"asn", "AS64498", "name", "Three", "domain", "three.example"},
     64498,
     "Three",
     ""},
    {"ipinfo lite",
     {"as_name", "Four", "asn", "AS4200000001", "country", "Japan", "country_code", "JP"},
     4200000001u,
     "Four",
     "JP"},
    {"ipinfo country", {"country", "FR", "country_name", "France"}, 0, "", "FR"},
    {"a number as text", {"asn", "64499"}, 64499, "", ""},
    {"too large", {"asn", "AS4294967296"}, 0, "", ""},
    {"no number", {"asn", "ASx"}, 0, "", ""},
    {"only its start", {"asn", "AS"}, 0, "", ""},
    {"no country", {"country_code", "E2", "country", "\xc3\xa4"}, 0, "", ""},
    {"a long name, cut between characters",
     {"asn", "#1", "name", "12345678901234567890123456789012345678901234567\xc3\xa4 and more"},
     1,
     "12345678901234567890123456789012345678901234567",
     ""},
    {"the same, within one",
     {"asn", "#1", "name", "1234567890123456789012345678901234567890123456\xc3\xa4 and more"},
     1,
     "1234567890123456789012345678901234567890123456",
     ""},
};
#define N_MAKERS (sizeof makers / sizeof makers[0])

/* Pairs up to the end, or to a closing brace. */
static unsigned pairs_of(const char *const *field)
{
    unsigned n = 0;

    for (unsigned depth = 0, i = 0; field[i] && (depth > 0 || strcmp(field[i], "}") != 0); i++) {
        n += depth == 0 && strcmp(field[i], "{") != 0;
        depth += strcmp(field[i], "{") == 0;
        if (strcmp(field[i], "}") == 0)
            n += --depth == 0;
    }
    return n / 2;
}

static uint32_t put_record(struct mmdb_file *f, const char *const *field)
{
    uint32_t at = f->n;

    mmdb_map(f, pairs_of(field));
    for (; *field; field++) {
        if (strcmp(*field, "{") == 0)
            mmdb_map(f, pairs_of(field + 1));
        else if (**field == '#')
            mmdb_uint(f, 6, strtoul(*field + 1, NULL, 10));
        else if (strcmp(*field, "}") != 0)
            mmdb_text(f, *field);
    }
    return at;
}

static void test_makers(void **state)
{
    struct mmdb_file *f = mmdb_begin(6, 24);
    struct sek_geo_facts facts;
    struct sek_mmdb *m;
    struct sek_addr a;
    char text[32];

    (void)state;
    for (size_t i = 0; i < N_MAKERS; i++) {
        snprintf(text, sizeof text, "10.0.%zu.0", i);
        mmdb_network(f, text, 24, put_record(f, makers[i].fields));
    }
    mmdb_end(f, "All");
    assert_int_equal(sek_mmdb_from_octets(f->out, f->n_out, "all", &m, NULL), SEK_OK);
    for (size_t i = 0; i < N_MAKERS; i++) {
        snprintf(text, sizeof text, "10.0.%zu.9", i);
        assert_int_equal(sek_addr_from_text(text, &a, NULL), SEK_OK);
        sek_geo_facts_of(m, &a, &facts);
        if (facts.asn != makers[i].asn || strcmp(facts.network, makers[i].network) ||
            strcmp(facts.country, makers[i].country))
            fail_msg("%s: %u \"%s\" \"%s\"", makers[i].maker, facts.asn, facts.network,
                     facts.country);
    }
    assert_int_equal(sek_addr_from_text("10.1.0.0", &a, NULL), SEK_OK);
    sek_geo_facts_of(m, &a, &facts);
    assert_true(facts.asn == 0 && !*facts.network && !*facts.country);
    sek_mmdb_close(m);
    free(f);
}

/* --- files -------------------------------------------------------------------------------------
 */

static struct sek_conf conf;
static struct sek_geo *geo;
static char folder[64];
static unsigned n_said, n_trouble;
static char said[512];

static void say(void *arg, bool trouble, const char *text)
{
    (void)arg;
    n_said++;
    n_trouble += trouble;
    snprintf(said, sizeof said, "%s", text);
}

static int setup(void **state)
{
    char text[300];

    (void)state;
    snprintf(folder, sizeof folder, "/tmp/sek-geo.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    int n = snprintf(text, sizeof text, "geo: {asn: %s/asn.mmdb, country: %s/country.mmdb}", folder,
                     folder);
    n_said = n_trouble = 0;
    return sek_conf_parse(text, (size_t)n, "test", &conf, NULL) != SEK_OK ||
           sek_geo_new(&conf, &geo, NULL) != SEK_OK;
}

static int teardown(void **state)
{
    char path[128];

    (void)state;
    sek_geo_free(geo);
    geo = NULL;
    snprintf(path, sizeof path, "%s/asn.mmdb", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/country.mmdb", folder);
    unlink(path);
    sek_conf_fini(&conf);
    return rmdir(folder);
}

static void put_file(const char *path, const char *const *fields)
{
    struct mmdb_file *f = mmdb_begin(6, 28);

    mmdb_network(f, "192.0.2.0", 24, put_record(f, fields));
    mmdb_end(f, "Test");
    mmdb_write(f, path);
    free(f);
}

static struct sek_geo_facts facts_of(const char *address)
{
    struct sek_geo_facts facts;
    struct sek_addr a;

    assert_int_equal(sek_addr_from_text(address, &a, NULL), SEK_OK);
    sek_geo_find(geo, &a, &facts);
    return facts;
}

static void test_files(void **state)
{
    (void)state;
    assert_non_null(geo);
    /* absent: told once, worked without */
    sek_geo_refresh(geo, 1000, say, NULL);
    assert_int_equal(n_trouble, 2);
    assert_non_null(strstr(said, "geo.country: "));
    assert_non_null(strstr(said, "worked without"));
    assert_non_null(strstr(sek_geo_trouble(geo), "geo.asn: "));
    assert_false(sek_geo_has_asn(geo) || sek_geo_has_country(geo));
    assert_int_equal(facts_of("192.0.2.1").asn, 0);
    sek_geo_refresh(geo, 2000, say, NULL);
    assert_int_equal(n_said, 2);

    /* one comes: within a minute nobody looks */
    put_file(conf.geo.asn,
             (const char *const[]){"asn", "#64496", "name", "One", "country_code", "DE", NULL});
    sek_geo_refresh(geo, 2059, say, NULL);
    assert_int_equal(n_said, 2);
    sek_geo_refresh(geo, 2060, say, NULL);
    assert_int_equal(n_said, 3);
    assert_int_equal(n_trouble, 2);
    assert_true(sek_geo_has_asn(geo) && !sek_geo_has_country(geo));
    assert_int_equal(facts_of("192.0.2.1").asn, 64496);
    assert_string_equal(facts_of("192.0.2.1").country, "DE"); /* it has both */

    /* the file of countries has the say about countries */
    put_file(conf.geo.country, (const char *const[]){"country_code", "FR", NULL});
    sek_geo_refresh(geo, 1000, say, NULL); /* the clock went back */
    assert_string_equal(facts_of("192.0.2.1").country, "FR");
    assert_string_equal(sek_geo_trouble(geo), "");
    assert_true(sek_geo_octets(geo) > 1000);

    /* damaged in place: the facts from before go on */
    int fd = open(conf.geo.asn, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0 && write(fd, "half", 4) == 4 && close(fd) == 0);
    sek_geo_refresh(geo, 1060, say, NULL);
    assert_int_equal(n_trouble, 3);
    assert_non_null(strstr(said, "what was read before goes on"));
    assert_non_null(strstr(sek_geo_trouble(geo), conf.geo.asn));
    assert_int_equal(facts_of("192.0.2.1").asn, 64496);

    /* removed, then replaced */
    unlink(conf.geo.asn);
    sek_geo_refresh(geo, 1120, say, NULL);
    assert_int_equal(n_trouble, 4);
    put_file(conf.geo.asn, (const char *const[]){"asn", "#64500", NULL});
    sek_geo_refresh(geo, 1180, say, NULL);
    assert_int_equal(n_trouble, 4);
    assert_int_equal(facts_of("192.0.2.1").asn, 64500);
    assert_string_equal(sek_geo_trouble(geo), "");
}

static void test_none(void **state)
{
    struct sek_conf none;
    struct sek_geo *g = geo;
    struct sek_addr a = {{0}};
    struct sek_geo_facts facts;

    (void)state;
    assert_int_equal(sek_conf_init(&none, NULL), SEK_OK);
    assert_int_equal(sek_geo_new(&none, &g, NULL), SEK_OK);
    assert_null(g);
    sek_geo_refresh(g, 1, say, NULL);
    sek_geo_find(g, &a, &facts);
    assert_true(facts.asn == 0 && !sek_geo_has_asn(g) && !sek_geo_has_country(g));
    assert_string_equal(sek_geo_trouble(g), "");
    assert_int_equal(sek_geo_octets(g), 0);
    sek_geo_free(g);
    sek_conf_fini(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_makers),
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_none, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
