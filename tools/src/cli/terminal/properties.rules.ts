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

type ReadFile = (path: string) => Uint8Array

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
  if (protocol.startsWith('SASL')) options.sasl = saslOf(properties)
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

function saslOf(properties: { readonly [name: string]: string }): object {
  const mechanism = properties['sasl.mechanism'] ?? 'PLAIN'
  if (!['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].includes(mechanism))
    throw new TypeError(`sasl.mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, got '${mechanism}'`)
  const jaas = properties['sasl.jaas.config'] ?? ''
  const username = properties['sasl.username'] ?? /username="([^"]*)"/.exec(jaas)?.[1]
  const password = properties['sasl.password'] ?? /password="([^"]*)"/.exec(jaas)?.[1]
  if (username === undefined || password === undefined)
    throw new TypeError('a SASL security.protocol needs sasl.username and sasl.password (or sasl.jaas.config)')
  return { mechanism, username, password }
}
