// The cluster itself: brokers, controller, what each broker speaks, where logs lie (Java: `Admin.describeCluster`, `describeFeatures`, `describeLogDirs`).
import { throwBrokerError } from './admin-errors.ts'
import type { AdminCall, AdminSession } from './admin-session.ts'

export interface BrokerDescription {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface ClusterDescription {
  readonly clusterId: string
  readonly controllerId: number
  readonly brokers: readonly BrokerDescription[]
}

export interface ApiVersionRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

export interface BrokerAbilities {
  readonly apis: readonly ApiVersionRange[]
  readonly supportedFeatures: readonly {
    readonly name: string
    readonly minVersion: number
    readonly maxVersion: number
  }[]
  readonly finalizedFeatures: readonly { readonly name: string; readonly level: number }[]
}

export interface LogDirDescription {
  readonly path: string
  readonly partitions: readonly { readonly topic: string; readonly partition: number; readonly sizeBytes: number }[]
  /** Of the file system; -1 when the broker does not say. */
  readonly totalBytes: number
  readonly usableBytes: number
}

export class ClusterAdmin {
  readonly #session: AdminSession

  constructor(session: AdminSession) {
    this.#session = session
  }

  async describe(call: AdminCall = {}): Promise<ClusterDescription> {
    return this.#session.run(call, async attempt => {
      const request = { includeClusterAuthorizedOperations: false, endpointType: 1, includeFencedBrokers: false }
      const { errorCode, errorMessage, clusterId, controllerId, brokers } = await attempt.any(
        'DescribeCluster',
        request,
      )
      throwBrokerError('cluster', errorCode, errorMessage)
      return {
        clusterId,
        controllerId,
        brokers: brokers
          .map(({ brokerId, host, port, rack }) => ({ nodeId: brokerId, host, port, rack }))
          .sort((a, b) => a.nodeId - b.nodeId),
      }
    })
  }

  /** What the broker that answers speaks, and the cluster's features. */
  async apiVersions(call: AdminCall = {}): Promise<BrokerAbilities> {
    return this.#session.run(call, async attempt => {
      const request = { clientSoftwareName: 'odradek', clientSoftwareVersion: '0', clusterId: null, nodeId: -1 }
      const response = await attempt.any('ApiVersions', request as never)
      throwBrokerError('api versions', response.errorCode)
      return {
        apis: response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => ({ apiKey, minVersion, maxVersion })),
        supportedFeatures: response.supportedFeatures.map(({ name, minVersion, maxVersion }) => ({
          name,
          minVersion,
          maxVersion,
        })),
        finalizedFeatures: response.finalizedFeatures.map(({ name, maxVersionLevel }) => ({
          name,
          level: maxVersionLevel,
        })),
      }
    })
  }

  /** Log directories of the broker that answers, with the size of every partition. */
  async logDirs(call: AdminCall = {}): Promise<readonly LogDirDescription[]> {
    return this.#session.run(call, async attempt => {
      const { errorCode, results } = await attempt.any('DescribeLogDirs', { topics: null })
      throwBrokerError('log directories', errorCode)
      return results.map(dir => {
        throwBrokerError(dir.logDir, dir.errorCode)
        return {
          path: dir.logDir,
          totalBytes: dir.totalBytes,
          usableBytes: dir.usableBytes,
          partitions: dir.topics.flatMap(({ name, partitions }) =>
            partitions.map(({ partitionIndex, partitionSize }) => ({
              topic: name,
              partition: partitionIndex,
              sizeBytes: partitionSize,
            })),
          ),
        }
      })
    })
  }
}
