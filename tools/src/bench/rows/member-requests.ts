// Requests of group members without the clients around them, over an embedded broker's own link: for rows that need thousands of members.
import type { Broker } from '@odradek/broker'
import { type ClusterLink, clusterDoor } from '@odradek/shared/client/cluster-link'
import { openClusterLink } from '@odradek/shared/client/open-link'
import type { ApiName, ApiRequest, ApiResponse } from '@odradek/shared/contracts/api-map'
import { errors } from '@odradek/shared/protocol/error-codes'

const options = { deadlineMs: 60_000 }

export class MemberRequests {
  readonly #link: ClusterLink

  private constructor(link: ClusterLink) {
    this.#link = link
  }

  static async open(broker: Broker): Promise<MemberRequests> {
    const { host, link } = broker[clusterDoor]
    return new MemberRequests(await openClusterLink(host, link))
  }

  /** Asks the group's coordinator. */
  async ask<A extends ApiName>(groupId: string, api: A, request: ApiRequest<A>): Promise<ApiResponse<A>> {
    return this.#link.request(await this.#link.coordinator('group', groupId, options), api, request, options)
  }

  async join(groupId: string): Promise<MemberDouble> {
    const request = {
      groupId,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array(40) }],
      reason: null,
    }
    const { memberId } = await this.ask(groupId, 'JoinGroup', request)
    const joined = await this.ask(groupId, 'JoinGroup', { ...request, memberId })
    const { generationId, leader, members } = joined
    const assignments = members.map(member => ({ memberId: member.memberId, assignment: new Uint8Array(40) }))
    const synced = await this.ask(groupId, 'SyncGroup', {
      groupId,
      generationId,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: leader === memberId ? assignments : [],
    })
    const errorCode = joined.errorCode || synced.errorCode
    if (errorCode === errors.REBALANCE_IN_PROGRESS.code) return this.join(groupId)
    if (errorCode !== 0) throw new Error(`joining ${groupId}: ${errorCode}`)
    return { groupId, memberId, generationId }
  }

  /** Kafka's code. */
  async beat({ groupId, memberId, generationId }: MemberDouble): Promise<number> {
    const request = { groupId, memberId, generationId, groupInstanceId: null }
    return (await this.ask(groupId, 'Heartbeat', request)).errorCode
  }

  close(): Promise<void> {
    return this.#link.close()
  }
}

export interface MemberDouble {
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
}
