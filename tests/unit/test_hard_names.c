/* SPDX-License-Identifier: BSD-3-Clause */
/* Benign names that look odd, by kinds of oddness: the shipped model must not put any of them above
 * the threshold for blocking. And names that every model worth shipping finds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "classify/explain.h"
#include "name/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sek_classify *model;

static const char *const benign[] = {
    /* hosts of clouds and CDNs: the first label is random by nature */
    "d111111abcdef8.cloudfront.net",
    "d2x3jhv8k1mzqy.cloudfront.net",
    "e8652.dscx.akamaiedge.net",
    "a1887.dscq.akamai.net",
    "dual-a-0001.a-msedge.net",
    "waws-prod-am2-175.azurewebsites.windows.net",
    "k3j9xq2v7w.execute-api.eu-west-1.amazonaws.com",
    "ec2-3-120-7-9.eu-central-1.compute.amazonaws.com",
    "xjq7k2vw9p.trafficmanager.net",
    "qzxvkjw.azureedge.net",
    "x7f3q9.b-cdn.net",
    "gdkqzjwx.herokuapp.com",
    "r4---sn-4g5edns7.googlevideo.com",
    "lh3.ggpht.com",
    "scontent-fra3-1.xx.fbcdn.net",
    "prod-zkqj.global.ssl.fastly.net",
    "xyzwqk.sfo3.digitaloceanspaces.com",
    "f7x9.r2.dev",
    /* infrastructure of large services */
    "awxcdn.com",
    "mozgcp.net",
    "gvt1.com",
    "gvt2.com",
    "1e100.net",
    "ytimg.com",
    "twimg.com",
    "fbcdn.net",
    "msftncsi.com",
    "msftconnecttest.com",
    "edgekey.net",
    "edgesuite.net",
    "llnwd.net",
    "sndcdn.com",
    "scdn.co",
    "pstatic.net",
    "hdslb.com",
    "bdstatic.com",
    "gtimg.cn",
    "alicdn.com",
    "aliyuncs.com",
    "mzstatic.com",
    "wbbasket.ru",
    "yastatic.net",
    "vkuseraudio.net",
    "tbcache.com",
    /* advertising and telemetry */
    "demdex.net",
    "2o7.net",
    "omtrdc.net",
    "rlcdn.com",
    "adnxs.com",
    "adsrvr.org",
    "agkn.com",
    "krxd.net",
    "crwdcntrl.net",
    "nr-data.net",
    "bidswitch.net",
    "mathtag.com",
    "everesttech.net",
    "casalemedia.com",
    "imrworldwide.com",
    "scorecardresearch.com",
    "app-measurement.com",
    "vortex.data.microsoft.com",
    "crashlyticsreports-pa.googleapis.com",
    "bluekai.com",
    "bttrack.com",
    /* antivirus and block-list look-ups: data in the labels below */
    "4z9p5tjmcbnblehp4557z1d136.avqs.mcafee.com",
    "3.1.4.1.5.9.sophosxl.net",
    "2.0.0.127.zen.spamhaus.org",
    "ab12cd34ef56ab12cd34ef56ab12cd34.hash.avts.mcafee.com",
    "9f86d081884c7d659a2feaa0c55ad015.malware.hash.cymru.com",
    "b.barracudacentral.org",
    "kqz7x.e5.sk",
    "1.0.0.127.dnsbl.sorbs.net",
    "1.2.0.192.in-addr.arpa",
    /* acronyms */
    "hsbc.com",
    "kpmg.com",
    "pwc.com",
    "bbva.es",
    "dhl.de",
    "kfw.de",
    "ndr.de",
    "wdr.de",
    "rtvslo.si",
    "ktvz.com",
    "wvxu.org",
    "kqed.org",
    "nbcnews.com",
    "cnrs.fr",
    "cnbc.com",
    "mzv.cz",
    "gmbh.de",
    "nsdl.co.in",
    "vtb.ru",
    "rzd.ru",
    "tvp.pl",
    "nfz.gov.pl",
    "hvhh.de",
    "bsnl.co.in",
    "cctv.com",
    /* pinyin and romaji */
    "xiaohongshu.com",
    "pinduoduo.com",
    "zhihu.com",
    "ixigua.com",
    "douyin.com",
    "qunar.com",
    "zhaopin.com",
    "jiayuan.com",
    "xuexi.cn",
    "shijiebang.com",
    "youxiduo.com",
    "ganji.com",
    "mafengwo.cn",
    "dianping.com",
    "zhangyue.com",
    "kakaku.com",
    "mainichi.jp",
    "yomiuri.co.jp",
    "rakuten.co.jp",
    "tsutaya.co.jp",
    "hatena.ne.jp",
    "nicovideo.jp",
    "mitsuifudosan.co.jp",
    "fukuokabank.co.jp",
    "shizuokabank.co.jp",
    "tokyo-zoo.net",
    /* compounds and clusters of consonants */
    "verbraucherzentrale.de",
    "bundesnetzagentur.de",
    "arbeitsagentur.de",
    "straßenverkehrsamt.de",
    "donaudampfschifffahrtsgesellschaft.de",
    "rindfleischetikettierung.de",
    "bezirksschornsteinfeger.de",
    "wirtschaftspruefung-muenchen.de",
    "landwirtschaftskammer.de",
    "kraftfahrtbundesamt.de",
    "llanfairpwllgwyngyll.com",
    "llgc.org.uk",
    "przelewy24.pl",
    "szczecin.pl",
    "wszystkoociasteczkach.pl",
    "zrzutka.pl",
    "brzeszcze.pl",
    "vltava.cz",
    "ctvrtletnik.cz",
    "hrvatskitelekom.hr",
    "krk.hr",
    "srbijagas.com",
    "lietuvosrytas.lt",
    "tyottomyysturva.fi",
    "kansanelakelaitos.fi",
    "gyogyszertar.hu",
    "magyarorszag.hu",
    "zorgverzekeringslijn.nl",
    "rijksdienstvoorondernemend.nl",
    "schiphol.nl",
    "ziektekostenverzekering.nl",
    "hovedstaden.dk",
    "arbeidstilsynet.no",
    /* words run together, as people register them */
    "anywayanyday.com",
    "thepiratebay.org",
    "therapistfinder.com",
    "expertsexchange.com",
    "whorepresents.com",
    "penisland.net",
    "speedofart.com",
    "experts-exchange.com",
    "notonthehighstreet.com",
    "bedbathandbeyond.com",
    "onlinesbi.com",
    "livescorehunter.com",
    "cheapflightsfinder.co.uk",
    /* digits and hexadecimal */
    "4chan.org",
    "9gag.com",
    "51job.com",
    "58.com",
    "360.cn",
    "163.com",
    "126.com",
    "1688.com",
    "12306.cn",
    "0xacab.org",
    "deadbeef.me",
    "cafebabe.org",
    "facade.com",
    "decade.com",
    "fedbac.org",
    "c0ffee.org",
    "b2b2c.ca",
    "h2o2.com",
    "a1b2.net",
    "3cx.com",
    "7digital.com",
    "1and1.com",
    "2ndline.tv",
    "888poker.com",
    "bet365.com",
    "4shared.com",
    "500px.com",
    "f5.com",
    "b9.com.br",
    "123rf.com",
    "99designs.com",
    "1password.com",
    "w3schools.com",
    "k8s.io",
    "i18n.org",
    /* other scripts */
    "bücher.ch",
    "пример.рф",
    "例え.jp",
    "xn--80ak6aa92e.com",
    "ελλάδα.gr",
    "münchen.de",
    "مثال.com",
    /* short or nothing to judge */
    "t.co",
    "g.cn",
    "x.com",
    "com",
    "co.uk",
    "localhost",
    "_ldap._tcp.dc._msdcs.corp.example",
    "wpad.corp.example",
    "printer.local",
    "xkqzj.corp.example",
    "db._dns-sd._udp.home.arpa",
};

static const char *const generated[] = {
    "ojxvqetkduhwnbr.com", "q7x2kz9w4vb8m1t5.net",    "9f86d081884c7d659a2feaa0c55ad015.ru",
    "kqzvwxjhgfdbtrp.biz", "zqxwvjkhpbtdgf.info",     "vbnqwzxkjhptrdl.org",
    "k3ux7qa2zvo8wd5.top", "wqkzjxvhbnptfd.ddns.net",
};

static float llr_of(const char *text)
{
    struct sek_name name;
    struct sek_diag diag;

    if (sek_name_from_text(text, strlen(text), &name, &diag) != SEK_OK)
        fail_msg("%s: %s", text, diag.text);
    return sek_classify_name(model, &name).llr;
}

static void test_benign(void **state)
{
    float limit = sek_classify_block_llr(model);
    unsigned n_watched = 0, n_over = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(benign) / sizeof(benign[0]); i++) {
        float llr = llr_of(benign[i]);

        if (llr > limit) {
            print_error("%s: %.2f is above %.2f\n", benign[i], (double)llr, (double)limit);
            n_over++;
        }
        if (llr > sek_classify_monitor_llr(model)) {
            print_message("  watched: %s %.2f\n", benign[i], (double)llr);
            n_watched++;
        }
    }
    assert_int_equal(n_over, 0);
    assert_in_range(n_watched, 0, 5);
}

static void test_generated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(generated) / sizeof(generated[0]); i++)
        if (llr_of(generated[i]) <= 2.2f) /* nine to one */
            fail_msg("%s: %.2f", generated[i], (double)llr_of(generated[i]));
}

/* What hangs off a registered domain does not change its score; case does not either. */
static void test_same_unit(void **state)
{
    (void)state;
    assert_true(llr_of("example.com") == llr_of("qxkzjvw.wvxkq.example.com"));
    assert_true(llr_of("xjwqkzvbpfhtd.com") == llr_of("www.XJWQKZVBPFHTD.com"));
    assert_true(llr_of("host.duckdns.org") == llr_of("a.b.host.duckdns.org"));
    assert_true(llr_of("abc.com") == SEK_CLASSIFY_NONE);
    assert_true(llr_of("abcd.com") != SEK_CLASSIFY_NONE);
}

static void test_explanation(void **state)
{
    struct sek_name name;
    struct sek_why why;

    (void)state;
    assert_int_equal(sek_name_from_text("a.xjwqkzvbpfhtd.com", 19, &name, NULL), SEK_OK);
    sek_classify_explain(model, &name, &why);
    assert_string_equal(why.unit, "xjwqkzvbpfhtd");
    assert_int_equal(why.score.label, 1);
    assert_true(why.score.by_network);
    assert_true(why.score.llr == llr_of("xjwqkzvbpfhtd.com"));
    assert_non_null(why.kinds[0].name);
    assert_true(why.kinds[0].share >= why.kinds[1].share && why.kinds[0].share <= 1);
    assert_true(why.odd[0].weight > 0 && why.odd[0].weight >= why.odd[1].weight);
    assert_int_equal(sek_name_from_text("com", 3, &name, NULL), SEK_OK);
    sek_classify_explain(model, &name, &why);
    assert_string_equal(why.unit, "");
    assert_null(why.kinds[0].name);
}

static void test_probability(void **state)
{
    (void)state;
    assert_true(sek_classify_probability(0) == 0.5);
    assert_true(sek_classify_probability(100) <= 1 && sek_classify_probability(-100) >= 0);
    assert_true(sek_classify_probability(3) > 0.95 && sek_classify_probability(-3) < 0.05);
}

static int setup(void **state)
{
    struct sek_diag diag;

    (void)state;
    if (sek_classify_open(SEK_SOURCE_DIR "/policy/model/dga.model", &model, &diag) == SEK_OK)
        return 0;
    print_error("%s\n", diag.text);
    return -1;
}

static int teardown(void **state)
{
    (void)state;
    sek_classify_close(model);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_benign),      cmocka_unit_test(test_generated),
        cmocka_unit_test(test_same_unit),   cmocka_unit_test(test_explanation),
        cmocka_unit_test(test_probability),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
