// One connection with TLS and SASL against a broker that follows a script: who is let in, who is told what, and when a session is renewed.
import { beforeAll, expect, test, vi } from 'vitest'
import type { BearerCredentials, WireSecurity } from '../../contracts/wire-security.ts'
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

/** A module whose source is its address. */
const module = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`
const bearer = (token: BearerCredentials['token']): WireSecurity => ({
  sasl: { mechanism: 'OAUTHBEARER', token, extensions: {} },
})
const offersBearer = () => ({ errorCode: 0, mechanisms: ['OAUTHBEARER'] })

/** A scene behind OAUTHBEARER, and what was said to it. */
function bearerScene(credentials: BearerCredentials['token'], sessionLifetimeMs = 0) {
  const { broker, clock, list } = scene({ security: bearer(credentials) })
  const said: string[] = []
  broker.on('SaslHandshake', offersBearer)
  broker.on('SaslAuthenticate', ({ authBytes }) => {
    said.push(Buffer.from(authBytes).toString())
    return { ...token, sessionLifetimeMs }
  })
  broker.on('ListGroups', () => groups)
  return { broker, clock, list, said }
}

test('OAUTHBEARER: every login asks the module for a token', async () => {
  const made = module('let n = 0; export const token = async () => "t" + ++n')
  const { clock, list, said } = bearerScene({ module: made }, 10_000)
  const reply = list()
  await vi.waitFor(() => expect(reply.value).toBeDefined())
  await clock.advance(9_000)
  await vi.waitFor(() => expect(said).toHaveLength(2))
  expect(said).toEqual(['n,,\u0001auth=Bearer t1\u0001\u0001', 'n,,\u0001auth=Bearer t2\u0001\u0001'])
})

test('OAUTHBEARER: a module that has no token now may have one at the next attempt', async () => {
  const made = module(`
    let n = 0
    export const token = async () => { if (++n === 1) throw new Error('the issuer is away'); return 'abc' }`)
  const { clock, list, said } = bearerScene({ module: made })
  const first = list()
  await vi.waitFor(() => expect(first.error).toBeDefined())
  expect(first.error).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('the issuer is away') })
  await clock.advance(50)
  const second = list()
  await vi.waitFor(() => expect(second.value).toBeDefined())
  expect(said).toHaveLength(1)
})

test('OAUTHBEARER: a module that stays silent is not waited for longer than for a reply', async () => {
  const asked = vi.fn()
  Object.assign(globalThis, { askedForToken: asked })
  const silent = module('export const token = () => { globalThis.askedForToken(); return new Promise(() => {}) }')
  const { clock, list } = bearerScene({ module: silent })
  const reply = list()
  await vi.waitFor(() => expect(asked).toHaveBeenCalled())
  await clock.advance(30_000)
  expect(reply.error).toMatchObject({ message: expect.stringContaining('no token within 30000 ms') })
})

test.each([
  ['a module that is not there', { module: 'file:///no/such/module.js' }, 'cannot be loaded'],
  ['a module without the function', { module: module('export const tokens = 1') }, 'exports no function token'],
  ['what is no text', { module: module('export const token = () => 7') }, 'gave a number instead of a token'],
  ['a token with a line end', 'abc\n', 'the option sasl.token gave text with characters that no token has'],
])('OAUTHBEARER: %s is refused for good, without asking the broker', async (_, credentials, words) => {
  const { broker, list } = bearerScene(credentials)
  const reply = list()
  await vi.waitFor(() => expect(reply.error).toBeDefined())
  expect(reply.error).toMatchObject({
    code: 'ODK_SASL_AUTHENTICATION_FAILED',
    fatal: true,
    message: expect.stringContaining(words),
  })
  expect(broker.last.apis()).toEqual(['ApiVersions'])
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
