// One connection with TLS and SASL against a broker that follows a script: who is let in, who is told what, and when a session is renewed.
import { beforeAll, expect, test } from 'vitest'
import { groups, plain, scene, token } from './connection-scene.suite.ts'
import { schemasLoaded, settled } from './scripted-broker.suite.ts'

beforeAll(schemasLoaded)

test('SASL: nothing is asked before the broker has taken the credentials', async () => {
  const { broker, list } = scene({ security: plain })
  broker.on('SaslHandshake', () => ({ errorCode: 0, mechanisms: ['PLAIN'] }))
  broker.on('SaslAuthenticate', () => token)
  broker.on('ListGroups', () => groups)
  const reply = list()
  await settled()
  expect(reply.value).toBeDefined()
  expect(broker.last.apis()).toEqual(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate', 'ListGroups'])
})

test.each([
  [
    'the mechanism',
    { errorCode: 33, mechanisms: ['SCRAM-SHA-256'] },
    token,
    'the broker offers SCRAM-SHA-256, not PLAIN',
  ],
  ['SASL at all', { errorCode: 34, mechanisms: [] }, token, 'does not use SASL'],
  [
    'the password',
    { errorCode: 0, mechanisms: ['PLAIN'] },
    { ...token, errorCode: 58, errorMessage: 'wrong password' },
    'wrong password',
  ],
])(
  'SASL: a broker that refuses %s fails every request with the reason, without asking again, until the backoff is over',
  async (_, handshake, answer, words) => {
    const { broker, clock, list } = scene({ security: plain })
    broker.on('SaslHandshake', () => handshake)
    broker.on('SaslAuthenticate', () => answer)
    const waiting = list()
    await settled()
    const later = list()
    await settled()
    for (const { error } of [waiting, later])
      expect(error).toMatchObject({
        code: 'ODK_SASL_AUTHENTICATION_FAILED',
        fatal: true,
        message: expect.stringContaining(words),
      })
    expect(broker.sockets).toHaveLength(1)
    await clock.advance(50)
    broker.on('SaslHandshake', () => ({ errorCode: 0, mechanisms: ['PLAIN'] }))
    broker.on('SaslAuthenticate', () => token)
    broker.on('ListGroups', () => groups)
    const afterwards = list()
    await settled()
    expect(afterwards.value).toBeDefined()
  },
)

test('SASL: a broker without SaslAuthenticate is told apart from one that refuses', async () => {
  const { broker, list } = scene({ security: plain })
  broker.versions = { SaslAuthenticate: [0, -1] }
  const reply = list()
  await settled()
  expect(reply.error).toMatchObject({
    code: 'ODK_UNSUPPORTED_VERSION',
    message: expect.stringContaining('SaslAuthenticate'),
  })
})

test('KIP-368: a session is renewed before it ends; requests in flight stay, others wait', async () => {
  const { broker, clock, list } = scene({ security: plain })
  broker.on('SaslHandshake', () => ({ errorCode: 0, mechanisms: ['PLAIN'] }))
  broker.on('SaslAuthenticate', () => ({ ...token, sessionLifetimeMs: 10_000 }))
  broker.on('ListGroups', () => null)
  const inFlight = list()
  await clock.advance(8_999)
  expect(broker.last.apis().filter(api => api === 'SaslHandshake')).toHaveLength(1)
  broker.on('SaslHandshake', () => null)
  await clock.advance(1)
  const waiting = list()
  await settled()
  expect(broker.last.apis().slice(-2)).toEqual(['ListGroups', 'SaslHandshake'])
  broker.on('ListGroups', () => groups)
  const [, , , asked, handshake] = broker.last.received
  broker.last.say(await broker.last.frameOf(asked!.header, groups))
  broker.last.say(await broker.last.frameOf(handshake!.header, { errorCode: 0, mechanisms: ['PLAIN'] }))
  await settled()
  expect(inFlight.value).toBeDefined()
  expect(waiting.value).toBeDefined()
  expect(broker.sockets).toHaveLength(1)
})

const tls = { tls: {} }

test.each([
  ['a certificate that is not trusted', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
  ['a certificate for another name', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
  ['a port that does not speak TLS', { code: 'EPROTO', syscall: 'write' }],
])('TLS: %s fails every request at once, for good', async (_, cause) => {
  const { broker, list } = scene({ security: tls })
  broker.onConnect = socket => socket.socket.destroy(Object.assign(new Error('handshake'), cause))
  const reply = list()
  await settled()
  expect(reply.error).toMatchObject({
    code: 'ODK_TLS_FAILED',
    fatal: true,
    message: expect.stringContaining('10.0.0.1:9092'),
  })
})

test('TLS: a connection that breaks during the handshake may be tried again', async () => {
  const { broker, list } = scene({ security: tls })
  broker.onConnect = socket => socket.end('ECONNRESET')
  const reply = list()
  await settled()
  expect(reply.error).toMatchObject({ code: 'UNREACHABLE' })
})
