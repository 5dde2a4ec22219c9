// The generated parts of a README: everything between `<!-- machine:NAME -->` and `<!-- /machine:NAME -->`. Pure.

/** The text with the section of `name` replaced; added at the end, under its own heading, where there is none yet. */
export function withSection(text: string, name: string, body: string): string {
  const [open, close] = [`<!-- machine:${name} -->`, `<!-- /machine:${name} -->`]
  const section = `${open}\n${body.trim()}\n${close}`
  const [from, to] = [text.indexOf(open), text.indexOf(close)]
  if (from >= 0 && to > from) return text.slice(0, from) + section + text.slice(to + close.length)
  return `${text.trimEnd()}\n\n### Machine: ${name}\n\n${section}\n`
}
