// Plain data as YAML: block style, every string that could be taken for something else quoted as in JSON.

/** `value` is what JSON can hold. */
export function yamlOf(value: unknown): string {
  return lines(value, '').join('\n')
}

function lines(value: unknown, indent: string): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [`${indent}[]`] : value.flatMap(each => item(each, indent))
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    return entries.length === 0 ? [`${indent}{}`] : entries.flatMap(([key, each]) => entry(key, each, indent))
  }
  return [`${indent}${scalar(value)}`]
}

function item(value: unknown, indent: string): string[] {
  const [first, ...rest] = lines(value, `${indent}  `)
  return [`${indent}- ${first!.trimStart()}`, ...rest]
}

function entry(key: string, value: unknown, indent: string): string[] {
  const isBlock = typeof value === 'object' && value !== null && Object.keys(value).length > 0
  if (!isBlock) return [`${indent}${scalar(key)}: ${lines(value, '')[0]}`]
  return [`${indent}${scalar(key)}:`, ...lines(value, `${indent}  `)]
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return String(value)
  const isPlain =
    /^[A-Za-z_][A-Za-z0-9_./ -]*$/.test(value) &&
    !value.endsWith(' ') &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value)
  return isPlain ? value : JSON.stringify(value)
}
