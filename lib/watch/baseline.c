/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch/baseline.h"
#include <math.h>
#include <string.h>
#include "base/banned.h"

#define BACK_S 3600            /* a clock that goes back farther was set */
#define WEEKS_MAX 3            /* a slot's: kept in two bits; from then on a quarter a week */
#define TOP_SHARE (1.0f / 168) /* so much a slot that is less busy lowers the busiest */
#define LATE_SHARE 0.2f        /* of a window in the latest ones */
#define LATE_MIN 6             /* windows */
#define TAIL_SHARE 0.75        /* of z counts on a logarithmic scale: 4.5 of 6 */
#define TAIL_MOST 3            /* times z: more is not taken for a tail */
#define RECORD_TIMES 1.5       /* what was reached lately is surpassed so far */
#define CLEARLY 1.1            /* more than a cell's step */
#define RECORD_FADE_H 0.998    /* a slot hour */
#define RECORD_AFTER                                                                               \
    0.8 /* of the line, becomes the record by an alarm: the next line is a                         \
         * fifth higher */
/* A cell holds ln(1 + v) in steps of 1/17.5, so up to 2 million with 6 %. */
#define CELL_SCALE 17.5f

struct level {
    double mean, dev;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static unsigned n_slots(const struct sek_season *s)
{
    return (unsigned)(SEK_BASELINE_WEEK_S / (s->bin_s * s->n_bins * s->n_windows));
}

static unsigned slot_of(const struct sek_season *s, int64_t bin)
{
    int64_t slot = floor_div(bin, (int64_t)s->n_bins * s->n_windows), n = n_slots(s);
    return (unsigned)(slot - floor_div(slot, n) * n);
}

static unsigned part_of(const struct sek_season *s, unsigned slot)
{
    unsigned a_day = n_slots(s) / 7;
    return slot % a_day * SEK_BASELINE_PARTS / a_day;
}

size_t sek_baseline_cells(const struct sek_season *s)
{
    return 2 * n_slots(s) + (n_slots(s) + 3) / 4;
}

size_t sek_baseline_octets(const struct sek_season *s)
{
    return (offsetof(struct sek_baseline, cells) + sek_baseline_cells(s) + 7) & ~(size_t)7;
}

/* --- cells -------------------------------------------------------------------------------------
 */

static uint8_t pack(double v)
{
    float cell = logf(1 + (float)fmax(0, v)) * CELL_SCALE + 0.5f;
    return (uint8_t)fminf(cell, 255);
}

static double unpack(uint8_t cell)
{
    return (double)expf((float)cell / CELL_SCALE) - 1;
}

static unsigned weeks_of(const struct sek_season *s, const struct sek_baseline *b, unsigned slot)
{
    return b->cells[2 * n_slots(s) + slot / 4] >> slot % 4 * 2 & 3;
}

static void weeks_add(const struct sek_season *s, struct sek_baseline *b, unsigned slot)
{
    if (weeks_of(s, b, slot) < WEEKS_MAX)
        b->cells[2 * n_slots(s) + slot / 4] += (uint8_t)(1 << slot % 4 * 2);
}

/* --- judging -----------------------------------------------------------------------------------
 */

static double window_of(const struct sek_season *s, const struct sek_baseline *b)
{
    double sum = 0;
    for (unsigned i = 0; i < s->n_bins; i++)
        sum += b->count[i];
    return sum;
}

/* Take the level if its line lies clearly higher. */
static void raise(const struct sek_season *s, struct sek_level *io, enum sek_baseline_by by,
                  double mean, double dev)
{
    dev = fmax(dev, fmax(sqrt(mean + 1), 0.25 * mean));
    if (io->by && mean + s->z * dev <= CLEARLY * (io->mean + s->z * io->dev))
        return;
    io->by = by;
    io->mean = mean;
    io->dev = dev;
}

static void raise_slots(const struct sek_season *s, const struct sek_baseline *b, unsigned slot,
                        struct sek_level *io)
{
    unsigned n = n_slots(s);
    for (unsigned i = 0; i < 3; i++) {
        unsigned at = (slot + n - 1 + i) % n;
        if (weeks_of(s, b, at) >= SEK_BASELINE_SLOTS_MIN)
            raise(s, io, SEK_BASELINE_HOUR, unpack(b->cells[at]), unpack(b->cells[n + at]));
    }
}

/* z of the line by the level alone: that of the season, or of a log-normal distribution with this
 * mean and deviation, whichever is higher. */
static double tail_of(const struct sek_season *s, const struct sek_level *level)
{
    double share = level->dev / fmax(level->mean, 1), sigma2 = log(1 + share * share);
    double times = exp(TAIL_SHARE * s->z * sqrt(sigma2) - sigma2 / 2);
    double z = (times - 1) * fmax(level->mean, 1) / level->dev;
    return fmax(s->z, fmin(z, TAIL_MOST * s->z));
}

/* Of the slot's part of the day, and its neighbours'. */
static double record_of(const struct sek_season *s, const struct sek_baseline *b, unsigned slot)
{
    unsigned n = n_slots(s);
    float most = 0;
    for (unsigned i = 0; i < 3; i++)
        most = fmaxf(most, b->record[part_of(s, (slot + n - 1 + i) % n)]);
    return (double)most;
}

void sek_baseline_judge(const struct sek_season *s, const struct sek_baseline *b,
                        struct sek_level *out)
{
    unsigned slot = slot_of(s, b->bin);
    *out = (struct sek_level){.window = window_of(s, b)};
    if (b->learned < s->learn)
        return;
    raise_slots(s, b, slot, out);
    if (weeks_of(s, b, slot) < SEK_BASELINE_SLOTS_MIN)
        raise(s, out, SEK_BASELINE_TOP, (double)b->top_mean, sqrt((double)b->top_var));
    if (b->late >= LATE_MIN)
        raise(s, out, SEK_BASELINE_LATE, (double)b->late_mean, sqrt((double)b->late_var));
    out->z = (out->window - out->mean) / out->dev;
    out->line = fmax(tail_of(s, out), RECORD_TIMES * record_of(s, b, slot));
}

/* --- learning ----------------------------------------------------------------------------------
 */

/* Move a mean and a variance by this share to those of newer numbers. */
static void blend(float share, float mean, float var, float *io_mean, float *io_var)
{
    float d = mean - *io_mean;
    *io_mean += share * d;
    *io_var = (1 - share) * (*io_var + share * d * d) + share * var;
}

static void learn_slot(const struct sek_season *s, struct sek_baseline *b, unsigned slot)
{
    unsigned n = n_slots(s), weeks = weeks_of(s, b, slot);
    float windows = (float)b->windows;
    float mean = b->sum / windows, var = fmaxf(0, b->squares / windows - mean * mean);
    float cell_mean = (float)unpack(b->cells[slot]), cell_dev = (float)unpack(b->cells[n + slot]);
    float cell_var = cell_dev * cell_dev;
    blend(1 / (float)(weeks + 1), mean, var, &cell_mean, &cell_var);
    b->cells[slot] = pack((double)cell_mean);
    b->cells[n + slot] = pack(sqrt((double)cell_var));
    weeks_add(s, b, slot);
    bool top = mean + (float)s->z * sqrtf(var) > b->top_mean + (float)s->z * sqrtf(b->top_var);
    blend(top ? 1 : TOP_SHARE, mean, var, &b->top_mean, &b->top_var);
    if (b->learned < UINT16_MAX)
        b->learned++;
    double hours = (double)(s->bin_s * s->n_bins * s->n_windows) / 3600;
    float fade = (float)pow(RECORD_FADE_H, hours);
    for (unsigned i = 0; i < SEK_BASELINE_PARTS; i++)
        b->record[i] *= fade;
}

static void end_slot(const struct sek_season *s, struct sek_baseline *b, unsigned slot)
{
    if (b->active && b->windows)
        learn_slot(s, b, slot);
    b->sum = b->squares = 0;
    b->windows = 0;
    b->active = false;
}

/* The windows side by side end with the latest bin. What stands in the last one is held back from
 * the latest level and the record until the next one ends: a surge must not hide itself. */
static void end_window(const struct sek_season *s, struct sek_baseline *b, double x)
{
    float *record = &b->record[part_of(s, slot_of(s, b->bin))];
    b->sum += (float)x;
    b->squares += (float)(x * x);
    b->windows++;
    *record = fmaxf(*record, b->z_before);
    b->z_before = b->z_now;
    b->z_now = 0;
    if (b->late > 0)
        blend(b->late > 1 ? LATE_SHARE : 1, b->x_before, 0, &b->late_mean, &b->late_var);
    b->x_before = (float)x;
    if (b->late < UINT8_MAX)
        b->late++;
}

/* The latest bin is over: what it reached. */
static void end_bin(const struct sek_season *s, struct sek_baseline *b)
{
    struct sek_level level;
    sek_baseline_judge(s, b, &level);
    double x = level.window, z = level.z;
    if (level.by && level.z > level.line) {
        z = RECORD_AFTER * level.line;
        x = level.mean + level.line * level.dev;
    }
    b->z_now = fmaxf(b->z_now, (float)z);
    if ((b->bin + 1) % s->n_bins == 0)
        end_window(s, b, x);
}

/* --- time --------------------------------------------------------------------------------------
 */

static void begin(struct sek_baseline *b, int64_t bin)
{
    memset(b->count, 0, sizeof b->count);
    b->bin = bin;
    b->sum = b->squares = b->late_mean = b->late_var = 0;
    b->x_before = b->z_now = b->z_before = 0;
    b->windows = b->late = 0;
    b->active = false;
}

static void advance(const struct sek_season *s, struct sek_baseline *b, int64_t bin)
{
    int64_t slot_bins = (int64_t)s->n_bins * s->n_windows;
    while (b->bin < bin) {
        end_bin(s, b);
        if ((b->bin + 1) % slot_bins == 0) {
            end_slot(s, b, slot_of(s, b->bin));
            if (bin - b->bin > slot_bins) { /* nothing was done in between */
                begin(b, bin);
                return;
            }
        }
        b->bin++;
        b->count[b->bin % s->n_bins] = 0;
    }
}

bool sek_baseline_add(const struct sek_season *s, struct sek_baseline *b, int64_t time_s,
                      uint32_t n)
{
    int64_t bin = time_s > 0 ? time_s / s->bin_s : 0, back = b->bin - bin;
    if (b->bin == 0 || back * s->bin_s > BACK_S)
        begin(b, bin);
    else if (back >= (int64_t)s->n_bins)
        return false;
    else
        advance(s, b, bin);
    uint32_t *count = &b->count[bin % s->n_bins];
    *count += n < UINT32_MAX - *count ? n : UINT32_MAX - *count;
    b->active = true;
    return true;
}

/* --- over a restart ----------------------------------------------------------------------------
 */

static bool is_sound(const struct sek_baseline *b)
{
    const float levels[] = {b->sum,      b->squares,  b->top_mean, b->top_var, b->late_mean,
                            b->late_var, b->x_before, b->z_now,    b->z_before};
    bool sound = b->bin >= 0 && sek_kept_flag(&b->active);
    for (size_t i = 0; sound && i < sizeof levels / sizeof levels[0]; i++)
        sound = sek_kept_number(levels[i]);
    for (unsigned i = 0; sound && i < SEK_BASELINE_PARTS; i++)
        sound = sek_kept_number(b->record[i]);
    return sound && b->top_var >= 0 && b->late_var >= 0 && b->top_mean >= 0 && b->late_mean >= 0;
}

bool sek_baseline_resume(const struct sek_season *s, struct sek_baseline *b,
                         const struct sek_lapse *lapse)
{
    int64_t now = lapse->to_ms / 1000 / s->bin_s;
    int64_t window_ms = s->bin_s * s->n_bins * 1000;
    if (!is_sound(b))
        return false;
    if (lapse->to_ms - lapse->from_ms >= window_ms || b->bin - now > BACK_S / s->bin_s)
        begin(b, now);
    return true;
}
