/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/measure/rocplot.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const struct sek_roc_point points[] = {
    {9, 0, 0, 0.1, 0.2}, /* below the picture: left out */
    {8, 0, 1e-4, 0.25, NAN},
    {7, 0, 1e-2, 0.5, NAN},
    {6, 0, 1, 1, NAN},
};

static void test_draw(void **state)
{
    (void)state;
    struct sek_rocplot plot = {"</title><script>&\x1b\xff", 0.99, points, 4};
    struct sek_buf svg;

    sek_buf_init(&svg, 0);
    sek_rocplot_draw(&svg, &plot);
    assert_false(svg.failed);
    assert_int_equal(strncmp(svg.data, "<svg xmlns=", 11), 0);
    assert_non_null(strstr(svg.data, "<title>&lt;/title&gt;&lt;script&gt;&amp;\\x1b\\xff</title>"));
    assert_null(strstr(svg.data, "<script"));
    assert_non_null(strstr(svg.data, "area under the curve 0.9900"));
    assert_non_null(strstr(svg.data, "<path d=\"M60.0 335.0L340.0 240.0L620.0 50.0\""));
    assert_non_null(strstr(svg.data, "<path d=\"\" ")); /* no family is large: no curve */
    assert_null(strstr(svg.data, "nan"));
    assert_null(strstr(svg.data, "href"));
    for (size_t i = 0; i < svg.len; i++)
        assert_true(svg.data[i] == '\n' || (svg.data[i] >= ' ' && svg.data[i] < 127));
    sek_buf_fini(&svg);
}

static void test_write(void **state)
{
    (void)state;
    char dir[] = "/tmp/sek-rocplot-XXXXXX", path[64], text[16] = "";
    struct sek_rocplot plot = {"t", 1, points, 4};
    struct sek_diag diag = {0};
    FILE *f;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/roc.svg", dir);
    assert_int_equal(sek_rocplot_write(path, &plot, &diag), SEK_OK);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    assert_int_equal(strncmp(text, "<svg ", 5), 0);
    unlink(path);
    rmdir(dir);
    assert_int_equal(sek_rocplot_write(path, &plot, &diag), SEK_E_NOTFOUND);
    assert_non_null(strstr(diag.text, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draw),
        cmocka_unit_test(test_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
