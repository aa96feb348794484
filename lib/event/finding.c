/* SPDX-License-Identifier: BSD-3-Clause */
#include "event/finding.h"
#include "classify/dga.h"
#include "base/banned.h"

_Static_assert(SEK_DGA_EVIDENCE_MAX < SEK_FINDING_EVIDENCE_MAX &&
                   sizeof SEK_DGA_TECHNIQUE <= SEK_FINDING_TECHNIQUE_MAX,
               "a finding holds what its detector says");

const struct sek_lookup sek_detector_names[] = {
    {SEK_DETECTOR_DGA, "dga"},
    {0, NULL},
};
