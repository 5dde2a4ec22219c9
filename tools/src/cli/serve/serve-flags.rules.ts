// How the flags of `odradek serve` are read. Pure.

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** `host:port`, `[v6]:port`, `:port` or `port`; without a host loopback. Throws TypeError that says what is right. */
export function readAddress(given: string): ListenAddress {
  const match = /^(?:(?:\[([^\]]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(given)
  const port = Number(match?.[3])
  if (match === null || port > 65_535)
    throw new TypeError(`It takes host:port, such as 127.0.0.1:9092, got '${given}'.`)
  return { host: match[1] ?? (match[2] || '127.0.0.1'), port }
}

/** `NAME:PARTITIONS`, or `NAME` for the broker's default. */
export function readTopic(given: string): { readonly name: string; readonly partitions: number | null } {
  const match = /^([^:]+?)(?::(\d+))?$/.exec(given)
  const partitions = match?.[2] === undefined ? null : Number(match[2])
  if (match === null || partitions === 0)
    throw new TypeError(`It takes NAME:PARTITIONS, such as orders:8, got '${given}'.`)
  return { name: match[1]!, partitions }
}
