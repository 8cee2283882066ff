/**
 * The captured port instructions in which the emulator differs from the 80286 on purpose, one list for each reason. The
 * numbers are the vectors' indices in their files. Every vector that stands here must differ, in the way that is
 * stated, and no other may.
 */

/** A reason, the vectors that it holds for, and how they differ. */
export interface KnownDifference {
  readonly reason: string;
  /** Every difference of such a vector matches one of these. */
  readonly differs: readonly RegExp[];
  readonly vectors: Readonly<Record<string, readonly number[]>>;
}

export const knownDifferences: readonly KnownDifference[] = [
  {
    reason:
      "LOCK before INS or OUTS: the 80286 carries the instruction out, later processors raise #UD (SDM volume 2A, LOCK: " +
      "only read-modify-write instructions with a memory destination take it).",
    differs: [/^port transfer 0: none, captured/, /^exception 6, captured none$/],
    vectors: {
      "6C": [
        126, 167, 176, 188, 254, 260, 342, 384, 387, 397, 475, 543, 648, 676, 685, 708, 750, 791, 809, 814, 897, 952,
      ],
      "6D": [
        118, 175, 180, 184, 246, 268, 350, 389, 392, 395, 467, 535, 640, 677, 684, 716, 742, 799, 801, 806, 905, 944,
      ],
      "6E": [
        110, 160, 172, 183, 238, 276, 326, 400, 403, 413, 459, 527, 664, 692, 701, 724, 766, 775, 825, 830, 913, 936,
      ],
      "6F": [
        102, 164, 168, 191, 230, 284, 334, 405, 408, 411, 451, 519, 656, 693, 700, 732, 758, 783, 817, 822, 921, 928,
      ],
    },
  },
  {
    reason:
      "INSW or OUTSW with the word at offset FFFF: the 80286 has read the port (INSW), moved SI or DI on and counted CX " +
      "down before it raises #GP; later processors leave the registers as they were, so that the instruction can be " +
      "restarted (SDM volume 3A, 6.5: faults).",
    differs: [/^port transfer \d+: none, captured in/, /^[sd]i 0xffff, captured 0x(?:1|fffd)$/, /^cx /],
    vectors: {
      "6D": [
        1, 22, 49, 53, 62, 72, 89, 101, 126, 151, 161, 167, 168, 200, 218, 240, 264, 303, 313, 315, 381, 393, 427, 446,
        464, 497, 563, 596, 604, 636, 641, 656, 657, 658, 679, 741, 768, 772, 776, 796, 810, 843, 850, 851, 853, 874,
        898, 901, 942, 950, 954, 972, 984, 987,
      ],
      "6F": [
        6, 24, 48, 54, 62, 72, 96, 99, 132, 148, 180, 184, 190, 194, 196, 198, 223, 274, 374, 407, 410, 421, 432, 437,
        446, 449, 576, 610, 621, 632, 659, 695, 699, 724, 800, 803, 813, 839, 841, 848, 859, 860, 876, 883, 920, 954,
        972,
      ],
    },
  },
  {
    reason:
      "OUTSW from SS with the word at offset FFFF: the 80286 raises #GP, later processors #SS (SDM volume 2B, OUTS, " +
      "real-address mode exceptions).",
    differs: [/^exception 12, captured 13$/],
    vectors: { "6F": [843] },
  },
];
