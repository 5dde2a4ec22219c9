// The admin client: topics, configs, records, groups, transactions and the cluster itself, of an embedded broker or of any Kafka cluster.

import { type AdminOptions, readAdminOptions } from './admin/admin-options.ts'
import { AdminSession } from './admin/admin-session.ts'
import { ClusterAdmin } from './admin/cluster-admin.ts'
import { ConfigsAdmin } from './admin/configs-admin.ts'
import { GroupsAdmin } from './admin/groups-admin.ts'
import { RecordsAdmin } from './admin/records-admin.ts'
import { TopicsAdmin } from './admin/topics-admin.ts'
import { TransactionsAdmin } from './admin/transactions-admin.ts'
import type { InJavasSpelling } from './java-names.ts'
import { openClusterDoor } from './open-door.ts'

export { PartialAdminError } from './admin/admin-errors.ts'
export type { AdminOptions } from './admin/admin-options.ts'
export type { AdminCall } from './admin/admin-session.ts'
export type * from './admin/cluster-admin.ts'
export type * from './admin/configs-admin.ts'
export type * from './admin/group-words.ts'
export type * from './admin/groups-admin.ts'
export type * from './admin/records-admin.ts'
export type * from './admin/topics-admin.ts'
export type * from './admin/transactions-admin.ts'

/** Every call rejects with a KafkaError: ODK_BROKER_ERROR with `kafkaName`, ODK_TIMEOUT, ODK_ABORTED, or ODK_NETWORK_EXCEPTION. */
export class Admin implements AsyncDisposable {
  readonly topics: TopicsAdmin
  readonly configs: ConfigsAdmin
  readonly records: RecordsAdmin
  readonly groups: GroupsAdmin
  readonly transactions: TransactionsAdmin
  readonly cluster: ClusterAdmin
  readonly #session: AdminSession

  /** Use {@link createAdmin}. */
  constructor(session: AdminSession) {
    this.#session = session
    this.topics = new TopicsAdmin(session)
    this.configs = new ConfigsAdmin(session)
    this.records = new RecordsAdmin(session)
    this.groups = new GroupsAdmin(session)
    this.transactions = new TransactionsAdmin(session)
    this.cluster = new ClusterAdmin(session)
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Creates an admin; connects at first use. Throws KafkaError ODK_OPTION_UNKNOWN, ODK_OPTION_INVALID or ODK_OPTION_MISSING. */
export function createAdmin(given: AdminOptions & InJavasSpelling<AdminOptions>): Admin {
  const options = readAdminOptions(given)
  return new Admin(new AdminSession(openClusterDoor('createAdmin', options), options))
}
