/* SPDX-License-Identifier: BSD-3-Clause */
/* What a primary may send: any octets as messages of an answer, signed or not. No crash, no leak;
 * lines hold nothing that the reader of zone files could take for something else; what an answer
 * that is done holds can be sorted and applied. Input: which question, then messages of a length of
 * two octets each, as over TCP. */
#include "transfer/tsig.h"
#include "transfer/zoneanswer.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        require(text[i] == '\n' || (text[i] >= ' ' && text[i] < 0x7f && text[i] != ';' &&
                                    text[i] != '"' && text[i] != '(' && text[i] != ')'));
}

static void check_done(struct sek_zoneanswer *a)
{
    struct sek_buf out;
    struct sek_lines_change c;
    sek_buf_init(&out, 0);
    const char *soa = sek_zoneanswer_soa_line(a);
    check_text(soa, strlen(soa));
    if (sek_zoneanswer_is_delta(a))
        sek_lines_apply("", 0, sek_zoneanswer_lines(a), &out, &c, NULL);
    else
        require(sek_lines_sorted(sek_zoneanswer_lines(a), &out, NULL) == SEK_OK);
    if (out.len)
        check_text(out.data, out.len);
    sek_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum sek_zone_question questions[] = {SEK_ZONE_SOA, SEK_ZONE_IXFR, SEK_ZONE_AXFR};
    static const struct sek_tsig_key key = {
        .name = {.len = 3, .n_labels = 1, .offset = {0, 2}, .octets = {1, 'k', 0}},
        .secret_len = 8};
    static const struct sek_name zone = {
        .len = 3, .n_labels = 1, .offset = {0, 2}, .octets = {1, 'z', 0}};
    struct sek_zoneanswer *a = NULL;
    struct sek_tsig *t = NULL;
    uint8_t request[12 + SEK_TSIG_RR_MAX] = {0};
    size_t n_request = 12;
    if (size < 1)
        return 0;
    require(sek_zoneanswer_new(questions[data[0] % 3], &zone, data[0], 1 << 20, &a) == SEK_OK);
    require(sek_tsig_new(&key, &t) == SEK_OK);
    require(sek_tsig_sign(t, request, &n_request, 0, NULL) == SEK_OK);
    data++;
    size--;
    bool done = false;
    while (!done && size >= 2) {
        size_t len = (size_t)data[0] << 8 | data[1], tsig;
        len = len < size - 2 ? len : size - 2;
        uint8_t *msg = malloc(len + 1); /* of its own: a read past the end is seen */
        memcpy(msg, data + 2, len);
        enum sek_err err = sek_zoneanswer_message(a, 0, msg, len, &tsig, NULL);
        require(tsig < len || tsig == 0);
        if (len >= 12)
            sek_tsig_check(t, msg, len, tsig, 0, NULL);
        free(msg);
        done = err != SEK_OK;
        if (!err && sek_zoneanswer_is_done(a)) {
            check_done(a);
            done = true;
        }
        data += len + 2;
        size -= len + 2;
    }
    sek_tsig_free(t);
    sek_zoneanswer_free(a);
    return 0;
}
