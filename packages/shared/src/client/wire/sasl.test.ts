import { expect, test } from 'vitest'
import { saslConversation } from './sasl.ts'

const text = (bytes: Uint8Array | null) => Buffer.from(bytes!).toString()
const bytes = (value: string) => new Uint8Array(Buffer.from(value))

test('SCRAM-SHA-256 speaks the example of RFC 7677', () => {
  const scram = saslConversation(
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
  const scram = saslConversation({ mechanism: 'SCRAM-SHA-256', username: 'user', password: 'pencil' }, 'abc')
  scram.first()
  scram.next(bytes('r=abcdef,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'))
  expect(() => scram.next(bytes('v=AAAA'))).toThrow('could not prove')
})

test.each([
  ['a foreign nonce', 'r=xyz,s=W22Z,i=4096', 'nonce'],
  ['too few rounds', 'r=abcdef,s=W22Z,i=1', '4096'],
  ['too many rounds', 'r=abcdef,s=W22Z,i=99999999', 'rounds'],
])('%s is refused', (_, challenge, message) => {
  const scram = saslConversation({ mechanism: 'SCRAM-SHA-512', username: 'user', password: 'pencil' }, 'abc')
  expect(() => scram.next(bytes(challenge))).toThrow(message)
})

test('names with commas and equals signs are escaped', () => {
  const scram = saslConversation({ mechanism: 'SCRAM-SHA-512', username: 'a,b=c', password: 'x' }, 'abc')
  expect(text(scram.first())).toBe('n,,n=a=2Cb=3Dc,r=abc')
})

test('PLAIN sends name and password once', () => {
  const plain = saslConversation({ mechanism: 'PLAIN', username: 'u', password: 'p' })
  expect(text(plain.first())).toBe('\u0000u\u0000p')
  expect(plain.next(new Uint8Array())).toBeNull()
})
