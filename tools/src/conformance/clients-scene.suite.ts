// A broker and clients that are connected to it, for the suites in which clients of all kinds meet.
import { type Broker, createBroker } from '@odradek/broker/create-broker'
import { afterAll, beforeAll } from 'vitest'

interface ClientKind<Client> {
  readonly name: string
  open(bootstrapServers: string): Promise<Client>
}

export interface ClientsScene<Client> {
  broker: Broker
  /** By the name of their kind. */
  readonly clients: Map<string, Client>
}

/** Call it in the suite's block: all are there before its first test, and gone after its last. */
export function clientsScene<Client extends { close(): Promise<unknown> }>(
  kinds: readonly ClientKind<Client>[],
  topics: NonNullable<Parameters<typeof createBroker>[0]>['topics'] & object,
): ClientsScene<Client> {
  const scene: Partial<ClientsScene<Client>> & Pick<ClientsScene<Client>, 'clients'> = { clients: new Map() }
  beforeAll(async () => {
    scene.broker = await createBroker({ storage: 'memory', threads: 4, topics })
    for (const kind of kinds) scene.clients.set(kind.name, await kind.open(scene.broker.bootstrapServers))
  })
  afterAll(async () => {
    await Promise.all([...scene.clients.values()].map(client => client.close()))
    await scene.broker?.close()
  })
  return scene as ClientsScene<Client>
}
