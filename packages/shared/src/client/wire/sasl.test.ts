import { expect, test } from 'vitest'
import { bearerConversation, passwordConversation } from './sasl.ts'

const text = (bytes: Uint8Array | null) => Buffer.from(bytes!).toString()
const bytes = (value: string) => new Uint8Array(Buffer.from(value))

test('SCRAM-SHA-256 speaks the example of RFC 7677', () => {
  const scram = passwordConversation(
    { mechanism: 'SCRAM-SHA-256', username: 'user', password: 'pencil' },
    'rOprNGfwEbeRWgbNEkqO',
  )
  expect(text(scram.first())).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  const challenge = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
  expect(text(scram.next(bytes(challenge)))).toBe(
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  )
  expect(scram.next(bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).toBeNull()
})

test('a server that does not know the password is refused', () => {
  const scram = passwordConversation({ mechanism: 'SCRAM-SHA-256', username: 'user', password: 'pencil' }, 'abc')
  scram.first()
  scram.next(bytes('r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'))
  expect(() => scram.next(bytes('v=AAAA'))).toThrow('could not prove')
})

test.each([
  ['a foreign nonce', 'r=xyz,s=W22Z,i=4096', 'nonce'],
  ['too few rounds', 'r=abcdef,s=W22Z,i=1', '4096'],
  ['too many rounds', 'r=abcdef,s=W22Z,i=99999999', 'rounds'],
])('%s is refused', (_, challenge, message) => {
  const scram = passwordConversation({ mechanism: 'SCRAM-SHA-512', username: 'user', password: 'pencil' }, 'abc')
  expect(() => scram.next(bytes(challenge))).toThrow(message)
})

test('names with commas and equals signs are escaped', () => {
  const scram = passwordConversation({ mechanism: 'SCRAM-SHA-512', username: 'a,b=c', password: 'x' }, 'abc')
  expect(text(scram.first())).toBe('n,,n=a=2Cb=3Dc,r=abc')
})

test('PLAIN sends name and password once', () => {
  const plain = passwordConversation({ mechanism: 'PLAIN', username: 'u', password: 'p' })
  expect(text(plain.first())).toBe('\u0000u\u0000p')
  expect(plain.next(new Uint8Array())).toBeNull()
})

test('OAUTHBEARER sends the token and its extensions as RFC 7628 and KIP-342 have them', () => {
  const bearer = bearerConversation('vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==', {
    logicalCluster: 'lkc-1',
    pool: 'a b',
  })
  expect(text(bearer.first())).toBe(
    'n,,\u0001auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u0001logicalCluster=lkc-1\u0001pool=a b\u0001\u0001',
  )
  expect(bearer.next(new Uint8Array())).toBeNull()
})

test('OAUTHBEARER: a server that says why it does not take the token is answered, so that it refuses; one that goes on all the same is not believed', () => {
  const bearer = bearerConversation('abc', {})
  bearer.first()
  expect(text(bearer.next(bytes('{"status":"invalid_token"}')))).toBe('\u0001')
  expect(() => bearer.next(new Uint8Array())).toThrow('invalid_token')
})
