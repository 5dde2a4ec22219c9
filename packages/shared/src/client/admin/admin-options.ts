// The options of an admin: those that all clients have.
import {
  type CommonClientOptions,
  commonOptionHints,
  commonOptions,
  type ResolvedCommonOptions,
} from '../common-options.ts'
import { milliseconds, type OptionTable, parseOptions } from '../options.ts'

export interface AdminOptions extends CommonClientOptions {
  /** Longest time of one call, repetitions included (`default.api.timeout.ms`). Default 60000. */
  readonly defaultApiTimeoutMs?: number
}

export interface ResolvedAdminOptions extends ResolvedCommonOptions {
  readonly defaultApiTimeoutMs: number
}

const table: OptionTable<ResolvedAdminOptions> = {
  ...commonOptions('odradek-admin'),
  defaultApiTimeoutMs: milliseconds('default.api.timeout.ms', 60_000),
}

/** Throws KafkaError ODK_OPTION_UNKNOWN, ODK_OPTION_INVALID or ODK_OPTION_CONFLICT. */
export function readAdminOptions(given: AdminOptions): ResolvedAdminOptions {
  return parseOptions('createAdmin', table, given, commonOptionHints).options
}
