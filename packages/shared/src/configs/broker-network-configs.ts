// Broker configs about the node, its listeners and its peers, Kafka 4.3 (Java: SocketServerConfigs, ServerConfigs, KRaftConfigs, ReplicationConfigs).
import { type ConfigSpec, config, INT_MAX, MIB } from './config-spec.ts'

const acts = true
const readOnly = 'read-only'
const clusterWide = 'cluster-wide'
const perBroker = 'per-broker'

export const brokerNetworkConfigs: readonly ConfigSpec[] = [
  config('advertised.listeners', 'list', null, 'Addresses that clients are told, when they differ from listeners.', {
    acts,
    importance: 'high',
    update: perBroker,
  }),
  config('broker.id', 'int', -1, 'Number of this broker; node.id is the name to use.', {
    importance: 'high',
    update: readOnly,
  }),
  config('broker.rack', 'string', null, 'Rack of this broker, shown to clients.', { acts, update: readOnly }),
  config('client.quota.callback.class', 'class', null, "Kafka's plug-in for quotas.", {
    importance: 'low',
    update: readOnly,
  }),
  config(
    'connection.failed.authentication.delay.ms',
    'int',
    100,
    'How long a failed authentication is answered late, in milliseconds.',
    { importance: 'low', update: readOnly, valid: { min: 0 } },
  ),
  config(
    'connections.max.idle.ms',
    'long',
    600_000,
    'A connection on which nothing happened for this long is closed, in milliseconds.',
    { acts, update: readOnly },
  ),
  config('fetch.max.bytes', 'int', 57_671_680, 'The most bytes of records that one fetch returns.', {
    acts,
    update: readOnly,
    valid: { min: 1_024 },
  }),
  config('inter.broker.listener.name', 'string', null, 'Listener over which brokers talk to each other.', {
    update: readOnly,
  }),
  config(
    'listener.security.protocol.map',
    'list',
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'Security protocol of each listener name.',
    { importance: 'low', update: perBroker },
  ),
  config('listeners', 'list', 'PLAINTEXT://:9092', 'Addresses on which the broker listens.', {
    acts,
    importance: 'high',
    update: perBroker,
  }),
  config('max.connection.creation.rate', 'int', INT_MAX, 'The most connections that are accepted in a second.', {
    update: clusterWide,
    valid: { min: 0 },
  }),
  config('max.connections', 'int', INT_MAX, 'The most connections that are open at a time.', {
    acts,
    update: clusterWide,
    valid: { min: 0 },
  }),
  config('max.connections.per.ip', 'int', INT_MAX, 'The most connections from one address.', {
    acts,
    update: clusterWide,
    valid: { min: 0 },
  }),
  config(
    'max.connections.per.ip.overrides',
    'string',
    '',
    'Limits for particular addresses: host:count, separated by commas.',
    { update: clusterWide },
  ),
  config('max.incremental.fetch.session.cache.slots', 'int', 1_000, 'The most incremental fetch sessions.', {
    acts,
    update: readOnly,
    valid: { min: 0 },
  }),
  config(
    'max.request.partition.size.limit',
    'int',
    2_000,
    'The most partitions in one DescribeTopicPartitions response.',
    { acts, update: readOnly, valid: { min: 1 } },
  ),
  config('node.id', 'int', null, 'Number of this node.', {
    acts,
    importance: 'high',
    update: readOnly,
    valid: { min: 0 },
  }),
  config('num.io.threads', 'int', 8, "Kafka's request threads. Ours are set by the option threads.", {
    importance: 'high',
    update: clusterWide,
    valid: { min: 1 },
  }),
  config('num.network.threads', 'int', 3, "Kafka's network threads. Ours are set by the option threads.", {
    importance: 'high',
    update: clusterWide,
    valid: { min: 1 },
  }),
  config('process.roles', 'list', '', 'Roles of this node: broker, controller.', {
    importance: 'high',
    update: readOnly,
    valid: { oneOf: ['broker', 'controller'] },
  }),
  config('queued.max.requests', 'int', 500, 'Requests that wait before no more are read.', {
    importance: 'high',
    update: readOnly,
    valid: { min: 1 },
  }),
  config('request.timeout.ms', 'int', 30_000, 'How long a request between brokers may take, in milliseconds.', {
    importance: 'high',
    update: readOnly,
    valid: { min: 0 },
  }),
  config('sasl.enabled.mechanisms', 'list', 'GSSAPI', 'SASL mechanisms that clients may use.', { update: perBroker }),
  config(
    'socket.connection.setup.timeout.ms',
    'long',
    10_000,
    'How long a connection may take to be set up, in milliseconds.',
    { update: readOnly, valid: { min: 0 } },
  ),
  config('socket.listen.backlog.size', 'int', 50, 'Connections that wait to be accepted.', {
    update: readOnly,
    valid: { min: 1 },
  }),
  config('socket.receive.buffer.bytes', 'int', 102_400, "Receive buffer of a socket; -1 for the system's.", {
    importance: 'high',
    update: readOnly,
  }),
  config(
    'socket.request.max.bytes',
    'int',
    104_857_600,
    'The largest request, in bytes; a larger one closes its connection.',
    { acts, importance: 'high', update: readOnly, valid: { min: 1 } },
  ),
  config('socket.send.buffer.bytes', 'int', 102_400, "Send buffer of a socket; -1 for the system's.", {
    importance: 'high',
    update: readOnly,
  }),
  config('ssl.key.password', 'password', null, 'Password of the private key.', {
    importance: 'high',
    update: perBroker,
    sensitive: true,
  }),
  config('ssl.keystore.location', 'string', null, 'Key store of the broker.', {
    importance: 'high',
    update: perBroker,
  }),
  config('ssl.keystore.password', 'password', null, 'Password of the key store.', {
    importance: 'high',
    update: perBroker,
    sensitive: true,
  }),
  config('ssl.truststore.password', 'password', null, 'Password of the trust store.', {
    importance: 'high',
    update: perBroker,
    sensitive: true,
  }),
  config(
    'authorizer.class.name',
    'string',
    '',
    "Kafka's authorizer. There is none here: everybody may do everything.",
    { importance: 'low', update: readOnly },
  ),
  config('telemetry.max.bytes', 'int', MIB, 'The most bytes of telemetry that a client may push at once.', {
    importance: 'low',
    update: readOnly,
    valid: { min: 1 },
  }),
  config('broker.session.timeout.ms', 'int', 9_000, 'After how much silence a broker is fenced, in milliseconds.', {
    update: readOnly,
  }),
  config(
    'broker.heartbeat.interval.ms',
    'int',
    2_000,
    'How often a broker reports to the controller, in milliseconds.',
    { update: readOnly },
  ),
  config(
    'controlled.shutdown.enable',
    'boolean',
    true,
    'Whether a broker hands its leaderships over before it stops.',
    { update: readOnly },
  ),
  config('auto.leader.rebalance.enable', 'boolean', true, 'Whether leaderships go back to the preferred replicas.', {
    importance: 'high',
    update: readOnly,
  }),
  config('background.threads', 'int', 10, "Kafka's background threads.", {
    importance: 'high',
    update: clusterWide,
    valid: { min: 1 },
  }),
  config('num.replica.fetchers', 'int', 1, 'Threads that fetch from each other broker.', {
    importance: 'high',
    update: clusterWide,
  }),
  config(
    'replica.lag.time.max.ms',
    'long',
    30_000,
    'After this long without catching up a replica is out of sync, in milliseconds.',
    { importance: 'high', update: readOnly },
  ),
  config('replica.fetch.max.bytes', 'int', MIB, 'Bytes of one partition that a follower fetches at once.', {
    update: readOnly,
    valid: { min: 0 },
  }),
]
