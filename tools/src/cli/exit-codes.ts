// What the exit code of `odradek` says. The same for every command.

export const exitCodes = {
  ok: 0,
  /** It was understood and did not work. */
  failed: 1,
  /** It was not understood: flags, arguments, files that cannot be read as asked. */
  usage: 2,
  /** It worked, and what it checked does not hold: a threshold, a verification. */
  broken: 3,
  /** SIGINT or SIGTERM. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
