// How a program starts `odradek serve` for itself: on a free port of this machine alone, which its ready line tells as JSON.

/** Arguments of the program; `--dir` or `--memory`, topics and settings follow. */
export const ownServer: readonly string[] = ['serve', '--listen', '127.0.0.1:0', '--json']
