// Java's .properties files, and Kafka's client properties for secured clusters as options of our clients. Pure: files that properties name are read by `read`.

/** Comments (# and !), `name=value`, `name: value`, continued lines (a backslash at the end). */
export function readProperties(text: string): { readonly [name: string]: string } {
  const lines = text.replace(/\\\r?\n\s*/g, '').split(/\r?\n/)
  const entries = lines.flatMap(line => {
    const match = /^\s*([^#!\s=:][^\s=:]*)\s*[=:\s]\s*(.*?)\s*$/.exec(line)
    return match === null ? [] : [[match[1]!, match[2]!] as const]
  })
  return Object.fromEntries(entries)
}

type ReadFile = (path: string | URL) => Uint8Array

/** Throws TypeError that names the property. Others than those about security are handed on under their own name. */
export function clientOptionsOf(
  properties: { readonly [name: string]: string },
  read: ReadFile,
): { readonly [option: string]: unknown } {
  const options: { [option: string]: unknown } = {}
  const protocol = properties['security.protocol'] ?? 'PLAINTEXT'
  if (!['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'].includes(protocol))
    throw new TypeError(`security.protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, got '${protocol}'`)
  if (protocol.endsWith('SSL')) options.tls = tlsOf(properties, read)
  if (protocol.startsWith('SASL')) options.sasl = saslOf(properties, read)
  for (const [name, value] of Object.entries(properties)) {
    if (!/^(security|sasl|ssl)\./.test(name) && name !== 'bootstrap.servers') options[name] = value
  }
  return options
}

function tlsOf(properties: { readonly [name: string]: string }, read: ReadFile): object {
  const files = { ca: 'ssl.ca.location', cert: 'ssl.certificate.location', key: 'ssl.key.location' }
  const pems = { ca: 'ssl.truststore.certificates', cert: 'ssl.keystore.certificate.chain', key: 'ssl.keystore.key' }
  const tls: { [name: string]: unknown } = {}
  for (const name of ['ca', 'cert', 'key'] as const) {
    const [file, pem] = [properties[files[name]], properties[pems[name]]]
    if (file !== undefined) tls[name] = Buffer.from(read(file)).toString()
    else if (pem !== undefined) tls[name] = pem.replaceAll('\\n', '\n')
  }
  if (properties['ssl.truststore.location'] !== undefined && tls.ca === undefined)
    throw new TypeError('ssl.truststore.location: Java key stores cannot be read; give PEM files: ssl.ca.location')
  const password = properties['ssl.key.password']
  if (password !== undefined) tls.passphrase = password
  if (properties['ssl.endpoint.identification.algorithm'] === '') tls.rejectUnauthorized = false
  return tls
}

function saslOf(properties: { readonly [name: string]: string }, read: ReadFile): object {
  const mechanism = properties['sasl.mechanism'] ?? 'PLAIN'
  if (mechanism === 'OAUTHBEARER') return bearerOf(properties, read)
  if (!['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].includes(mechanism))
    throw new TypeError(`sasl.mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, got '${mechanism}'`)
  const jaas = properties['sasl.jaas.config'] ?? ''
  const username = properties['sasl.username'] ?? /username="([^"]*)"/.exec(jaas)?.[1]
  const password = properties['sasl.password'] ?? /password="([^"]*)"/.exec(jaas)?.[1]
  if (username === undefined || password === undefined)
    throw new TypeError('a SASL security.protocol needs sasl.username and sasl.password (or sasl.jaas.config)')
  return { mechanism, username, password }
}

const TOKEN_FROM = 'sasl.oauthbearer.token.endpoint.url'
const TOKEN_BY = 'sasl.login.callback.handler.class'

/**
 * Where Kafka's clients take a token from: a file that holds it, read anew for every login (`sasl.oauthbearer.token.endpoint.url=file:...`, KIP-768), or
 * whoever the callback handler asks; here that is a module that exports the function `token`. Extensions are options of `sasl.jaas.config` (KIP-342).
 */
function bearerOf(properties: { readonly [name: string]: string }, read: ReadFile): object {
  const { [TOKEN_FROM]: from, [TOKEN_BY]: by, 'sasl.jaas.config': jaas = '' } = properties
  const found = [...jaas.matchAll(/extension_([A-Za-z]+)="([^"]*)"/g)].map(([, name, value]) => [name, value] as const)
  const extensions = found.length === 0 ? {} : { extensions: Object.fromEntries(found) }
  return { mechanism: 'OAUTHBEARER', token: by === undefined ? tokenOfFile(from, read) : moduleOf(by), ...extensions }
}

function moduleOf(by: string): URL {
  if (/\.(m?[jt]s)$/.test(by) && URL.canParse(by)) return new URL(by)
  throw new TypeError(`${TOKEN_BY} is the URL of a module that exports the function token (file:///...), got '${by}'`)
}

function tokenOfFile(from: string | undefined, read: ReadFile): URL {
  if (from === undefined || !URL.canParse(from) || new URL(from).protocol !== 'file:')
    throw new TypeError(
      `sasl.mechanism OAUTHBEARER needs ${TOKEN_FROM}, the URL of a file with the token (file:///...), or ${TOKEN_BY}` +
        (from === undefined ? '' : `; got '${from}'`),
    )
  // Told now that it cannot be read, rather than at the first login.
  if (read(new URL(from)).length === 0) throw new TypeError(`${TOKEN_FROM} ${from}: the file is empty`)
  const source = [
    `import { readFileSync } from 'node:fs'`,
    `export const token = () => readFileSync(new URL(${JSON.stringify(from)}), 'utf8').trim()`,
  ]
  return new URL(`data:text/javascript,${encodeURIComponent(source.join('\n'))}`)
}
