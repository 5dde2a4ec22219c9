// What a command throws to end with a message and an exit code. Anything else that is thrown is told by `explain`.
import { isPortError, KafkaError } from '@odradek/shared/base/errors'
import { type ExitCode, exitCodes } from './exit-codes.ts'

/** Ends the command: `message` goes to stderr, `exitCode` to the shell. An empty message prints nothing. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = exitCodes.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

/** The command was not understood; `message` names the flag, what was given and what would be right. */
export function usageError(message: string): CommandError {
  return new CommandError(message, exitCodes.usage)
}

/** What to print, and how to end, for whatever a command threw. */
export function explain(thrown: unknown): { readonly message: string; readonly exitCode: ExitCode } {
  if (thrown instanceof CommandError) return { message: thrown.message, exitCode: thrown.exitCode }
  if (thrown instanceof KafkaError) return explainKafkaError(thrown)
  if (isPortError(thrown)) return { message: `${thrown.message} (${thrown.code})`, exitCode: exitCodes.failed }
  if (isSystemError(thrown)) return { message: thrown.message, exitCode: exitCodes.failed }
  return {
    message: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
    exitCode: exitCodes.failed,
  }
}

function explainKafkaError({ code, kafkaName, message }: KafkaError): ReturnType<typeof explain> {
  if (code === 'ODK_ABORTED') return { message: 'interrupted', exitCode: exitCodes.interrupted }
  const isUsage = /^ODK_(OPTION|CONFIG|TOPIC)_(INVALID|UNKNOWN|MISSING|CONFLICT)$/.test(code)
  const tag = kafkaName !== undefined && message.includes(kafkaName) ? '' : ` (${kafkaName ?? code})`
  // Who typed a flag has called no function.
  const said = isUsage ? message.replace(/^create[A-Z]\w+: /, '') : message
  return { message: `${said}${tag}`, exitCode: isUsage ? exitCodes.usage : exitCodes.failed }
}

function isSystemError(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && typeof (thrown as NodeJS.ErrnoException).syscall === 'string'
}
