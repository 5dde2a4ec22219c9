// Configs that groups have of their own, as the group coordinator sees them: kept true by the broker's news, whole each time. Not part of the
// shard's state (they are in the metadata log, not in the shard's); decisions read them as they read settings.
import type { GroupConfigs } from '@odradek/shared/contracts/cluster.contract'

const NONE: GroupConfigs['configs'] = {}

export class GroupConfigView {
  #byGroup: ReadonlyMap<string, GroupConfigs['configs']> = new Map()

  /** Those of all groups that have any. */
  take(groups: readonly GroupConfigs[]): void {
    this.#byGroup = new Map(groups.map(({ groupId, configs }) => [groupId, configs]))
  }

  of(groupId: string): GroupConfigs['configs'] {
    return this.#byGroup.get(groupId) ?? NONE
  }
}
