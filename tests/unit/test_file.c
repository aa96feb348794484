/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/file.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <signal.h>
#include <unistd.h>

static char folder[64];

/* "folder/name", in a buffer that the next call overwrites. */
static const char *in_folder(const char *name)
{
    static char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void assert_content(const char *name, const char *expected)
{
    char text[64] = "";
    FILE *f = fopen(in_folder(name), "r");
    size_t n;

    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = '\0';
    assert_string_equal(text, expected);
}

static unsigned count_files(void)
{
    DIR *d = opendir(folder);
    unsigned n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n - 2; /* . and .. */
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/sek-test-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    (void)state;
    while ((e = readdir(d)))
        if (e->d_name[0] != '.') {
            unlink(in_folder(e->d_name));
            rmdir(in_folder(e->d_name));
        }
    closedir(d);
    return rmdir(folder);
}

static void test_replace(void **state)
{
    struct sek_file_new f;
    struct stat st;
    mode_t mask = umask(077); /* the mode asked for must not depend on it */

    (void)state;
    put("target", "old");
    assert_int_equal(sek_file_new_open(in_folder("target"), 0640, &f, NULL), SEK_OK);
    umask(mask);
    assert_int_equal(sek_file_write(f.fd, "new", 3, NULL), SEK_OK);
    assert_content("target", "old"); /* nothing is seen before the commit */
    assert_int_equal(fcntl(f.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(sek_file_new_commit(&f, NULL), SEK_OK);
    assert_content("target", "new");
    assert_int_equal(stat(in_folder("target"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(count_files(), 1);
    sek_file_new_abort(&f); /* after a commit: nothing */
    assert_content("target", "new");
    assert_int_equal(sek_file_new_commit(&f, NULL), SEK_E_INVALID);
}

static void test_abort(void **state)
{
    struct sek_file_new f;

    (void)state;
    put("target", "old");
    assert_int_equal(sek_file_new_open(in_folder("target"), 0600, &f, NULL), SEK_OK);
    assert_int_equal(count_files(), 2);
    assert_int_equal(sek_file_write(f.fd, "half", 4, NULL), SEK_OK);
    sek_file_new_abort(&f);
    sek_file_new_abort(&f);
    assert_int_equal(count_files(), 1);
    assert_content("target", "old");
}

/* The target becomes a folder: rename fails, and leaves nothing behind. */
static void test_failed_commit(void **state)
{
    struct sek_diag diag = {0};
    struct sek_file_new f;

    (void)state;
    assert_int_equal(sek_file_new_open(in_folder("target"), 0600, &f, NULL), SEK_OK);
    assert_int_equal(mkdir(in_folder("target"), 0700), 0);
    assert_int_not_equal(sek_file_new_commit(&f, &diag), SEK_OK);
    assert_non_null(strstr(diag.text, "cannot replace"));
    assert_int_equal(count_files(), 1);
}

/* A device, a pipe or a link would be gone with a file in its place. */
static void test_not_regular(void **state)
{
    struct sek_diag diag;
    struct sek_file_new f = {.fd = -1};

    (void)state;
    put("file", "old");
    assert_int_equal(mkdir(in_folder("folder"), 0700), 0);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(symlink("file", in_folder("link")), 0);
    assert_int_equal(symlink("nothing", in_folder("dangling")), 0);
    const struct {
        const char *path, *text;
    } cases[] = {{"/dev/null", "/dev/null: is not a regular file but a device"},
                 {"folder", "is not a regular file but a folder"},
                 {"fifo", "is not a regular file but a pipe (FIFO)"},
                 {"link", "is a symbolic link; name the file it points to"},
                 {"dangling", "is a symbolic link; name the file it points to"}};
    unsigned n_before = count_files();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *path = *cases[i].path == '/' ? cases[i].path : in_folder(cases[i].path);
        assert_int_equal(sek_file_new_open(path, 0600, &f, &diag), SEK_E_INVALID);
        assert_non_null(strstr(diag.text, cases[i].text));
    }
    assert_int_equal(f.fd, -1);
    assert_int_equal(count_files(), n_before);
}

static void test_bad_paths(void **state)
{
    struct sek_file_new f = {.fd = -1};
    struct sek_diag diag;
    char path[600];

    (void)state;
    assert_int_equal(sek_file_new_open("", 0600, &f, &diag), SEK_E_INVALID);
    assert_int_equal(sek_file_new_open("/tmp/", 0600, &f, &diag), SEK_E_INVALID);
    assert_int_equal(sek_file_new_open(in_folder("none/x"), 0600, &f, &diag), SEK_E_NOTFOUND);
    memset(path, 'a', sizeof(path));
    path[512 - 11] = '\0'; /* with ".tmp.XXXXXX" one too long */
    assert_int_equal(sek_file_new_open(path, 0600, &f, &diag), SEK_E_LIMIT);
    assert_int_equal(f.fd, -1);
}

/* A folder-less path means the working folder. */
static void test_relative_path(void **state)
{
    struct sek_file_new f;
    char before[512];

    (void)state;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(sek_file_new_open("plain", 0600, &f, NULL), SEK_OK);
    assert_int_equal(sek_file_new_commit(&f, NULL), SEK_OK);
    assert_int_equal(chdir(before), 0);
    assert_content("plain", "");
}

static void test_write_errors(void **state)
{
    struct sek_diag diag = {0};
    int full = open("/dev/full", O_WRONLY);
    struct rlimit before, small;
    int fd;

    (void)state;
    assert_int_equal(sek_file_write(full, "x", 1, &diag), SEK_E_FULL);
    close(full);
    assert_int_equal(sek_file_write(-1, "x", 1, &diag), SEK_E_IO);
    assert_int_equal(sek_file_write(-1, "", 0, &diag), SEK_OK);
    /* a write that is cut short goes on with the rest, and reports why it ends */
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 2;
    fd = open(in_folder("short"), O_WRONLY | O_CREAT, 0600);
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(sek_file_write(fd, "xyz", 3, &diag), SEK_E_IO);
    setrlimit(RLIMIT_FSIZE, &before);
    close(fd);
    assert_content("short", "xy");
}

static void assert_refused(const char *name, const char *why)
{
    struct sek_diag diag = {0};
    int fd = -7;

    if (sek_file_open_regular(in_folder(name), &fd, &diag) != SEK_E_INVALID || fd != -7 ||
        !strstr(diag.text, why))
        fail_msg("%s: '%s'", name, diag.text);
}

static void test_open_regular(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sek_diag diag;
    struct sek_buf text;
    int fd, s;

    (void)state;
    put("file", "content");
    assert_int_equal(sek_file_open_regular(in_folder("file"), &fd, &diag), SEK_OK);
    sek_buf_init(&text, 7);
    assert_int_equal(sek_file_read(fd, &text, &diag), SEK_OK); /* exactly the cap */
    assert_string_equal(text.data, "content");
    sek_buf_fini(&text);
    sek_buf_init(&text, 6);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(sek_file_read(fd, &text, &diag), SEK_E_LIMIT);
    sek_buf_fini(&text);
    close(fd);

    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_refused("fifo", "pipe"); /* must not wait for a writer either */
    assert_int_equal(symlink("file", in_folder("link")), 0);
    assert_refused("link", "symbolic link");
    assert_refused(".", "folder");
    snprintf(un.sun_path, sizeof(un.sun_path), "%.100s", in_folder("socket"));
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof(un)), 0);
    close(s);
    assert_refused("socket", "socket");
    assert_int_equal(sek_file_open_regular("/dev/null", &fd, &diag), SEK_E_INVALID);
    assert_non_null(strstr(diag.text, "device"));
    assert_int_equal(sek_file_open_regular(in_folder("none"), &fd, &diag), SEK_E_NOTFOUND);
    assert_int_equal(sek_file_open_regular("", &fd, &diag), SEK_E_NOTFOUND);
    assert_int_equal(sek_file_read(-1, &text, &diag), SEK_E_IO);
    /* the administrator's own path may be a link, but not a FIFO */
    assert_int_equal(sek_file_open_trusted(in_folder("link"), &fd, &diag), SEK_OK);
    close(fd);
    assert_int_equal(sek_file_open_trusted(in_folder("fifo"), &fd, &diag), SEK_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abort, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_regular, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_relative_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_regular, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
