// One parsed TypeScript file: its imports resolved to files of the house, its exports, functions and suspicious calls.
// Parsed with oxc; knows nothing of the laws.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSync } from 'oxc-parser'

export interface Import {
  readonly line: number
  /** As written: `./x.ts`, `@odradek/shared/base/assert`, `xstate`, `node:fs`. */
  readonly specifier: string
  /** Path of the imported file from the root, when it is ours. */
  readonly target: string | undefined
  readonly typeOnly: boolean
  readonly names: readonly string[]
}

export interface Export {
  readonly line: number
  readonly name: string
  readonly typeOnly: boolean
}

export interface FunctionSpan {
  readonly line: number
  readonly lines: number
  readonly name: string
}

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly lines: number
  /** `machine` for `x.machine.ts`; undefined for a plain noun. */
  readonly kind: string | undefined
  readonly imports: readonly Import[]
  readonly exports: readonly Export[]
  readonly functions: readonly FunctionSpan[]
  /** Lines of each `import()` that is not the body of a function given to `loading`. */
  readonly bareLoads: readonly number[]
  /** Clock, timer and chance calls: `Date.now`, `setTimeout`, ... */
  readonly platformTime: readonly { readonly line: number; readonly what: string }[]
  /** What keeps it from being TypeScript; the rest is what could be read all the same. */
  readonly parseErrors: readonly string[]
}

interface Node {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const TIMERS = new Set(['setTimeout', 'setInterval', 'setImmediate'])
const CLOCKS = new Set(['Date.now', 'performance.now', 'Math.random', 'process.hrtime'])

/** `machine` for `x.machine.ts`; what serves tests (`x.suite.actor.ts`, `x.rules.test.ts`) is of the test's kind. */
function kindOf(path: string): string | undefined {
  const suffixes = path.split('/').at(-1)!.split('.').slice(1, -1)
  return suffixes.find(suffix => suffix === 'suite' || suffix === 'test' || suffix === 'bench') ?? suffixes.at(-1)
}

/** Reads and parses the file at `path` (from `root`). */
export function readSourceFile(root: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const { program, module, errors } = parseSync(path, text)
  const lineOf = lineIndex(text)
  const found = walk(program as unknown as Node, lineOf, root, path)
  const imports = module.staticImports.map(entry => ({
    line: lineOf(entry.start),
    specifier: entry.moduleRequest.value,
    target: resolveImport(root, path, entry.moduleRequest.value),
    typeOnly:
      text.startsWith('import type', entry.start) || (entry.entries.length > 0 && entry.entries.every(e => e.isType)),
    names: entry.entries.map(e =>
      e.importName.kind === 'Name' ? e.importName.name! : e.importName.kind === 'NamespaceObject' ? '*' : 'default',
    ),
  }))
  const reexports = module.staticExports.flatMap(entry =>
    entry.entries
      .filter(e => e.moduleRequest)
      .map(e => ({
        line: lineOf(e.start),
        specifier: e.moduleRequest!.value,
        target: resolveImport(root, path, e.moduleRequest!.value),
        typeOnly: e.isType,
        names: [e.importName.kind === 'Name' ? e.importName.name! : '*'],
      })),
  )
  return {
    path,
    text,
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    kind: kindOf(path),
    imports: [...imports, ...reexports, ...found.references],
    exports: module.staticExports.flatMap(entry =>
      entry.entries.map(e => ({ line: lineOf(e.start), name: e.exportName.name ?? '*', typeOnly: e.isType })),
    ),
    functions: found.functions,
    bareLoads: found.bareLoads,
    platformTime: found.platformTime,
    parseErrors: errors.map(error => error.message),
  }
}

function lineIndex(text: string): (at: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return at => {
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (starts[middle]! <= at) low = middle
      else high = middle
    }
    return low + 1
  }
}

/** A file of the house for a relative or `@odradek/` specifier, else undefined. */
function resolveImport(root: string, from: string, specifier: string): string | undefined {
  const own = /^@odradek\/([a-z]+)(?:\/(.+))?$/.exec(specifier)
  const candidate = own
    ? `packages/${own[1]}/src/${own[2] ?? 'index'}.ts`
    : specifier === 'odradek'
      ? 'tools/src/index.ts'
      : specifier.startsWith('.')
        ? relative(root, join(root, dirname(from), specifier)).replaceAll('\\', '/')
        : undefined
  return candidate?.endsWith('.ts') && existsSync(join(root, candidate)) ? candidate : undefined
}

function walk(program: Node, lineOf: (at: number) => number, root: string, path: string) {
  const functions: FunctionSpan[] = []
  const platformTime: { line: number; what: string }[] = []
  const references: Import[] = []
  const bareLoads: number[] = []
  const loaders = new Set<unknown>()
  const visit = (node: Node, name: string) => {
    if (isLoading(node)) for (const given of node.arguments as Node[]) loaders.add(given.body)
    if (node.type === 'ImportExpression' && !loaders.has(node)) bareLoads.push(lineOf(node.start))
    if (FUNCTIONS.has(node.type)) {
      const line = lineOf(node.start)
      functions.push({
        line,
        lines: lineOf(node.end) - line + 1,
        name: ((node.id as Node | null)?.name as string) ?? name,
      })
    }
    const clock = clockUse(node)
    if (clock) platformTime.push({ line: lineOf(node.start), what: clock })
    const target =
      node.type === 'Literal' && typeof node.value === 'string' && /^(\.|@odradek\/)/.test(node.value)
        ? resolveImport(root, path, node.value)
        : undefined
    if (target)
      references.push({
        line: lineOf(node.start),
        specifier: node.value as string,
        target,
        typeOnly: false,
        names: ['*'],
      })
    if (node.type === 'ImportDeclaration' || (node.source && node.type.startsWith('Export'))) return
    const inner = nameOf(node) ?? name
    for (const key in node) visitChild(node[key], child => visit(child, inner))
  }
  visit(program, '')
  return { functions, platformTime, references, bareLoads }
}

function visitChild(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) visitChild(item, visit)
  else if (value !== null && typeof value === 'object' && typeof (value as Node).type === 'string') visit(value as Node)
}

function nameOf(node: Node): string | undefined {
  const named = (node.id ?? node.key) as Node | undefined | null
  return typeof named?.name === 'string' ? named.name : undefined
}

/** `loading(...)`: a load that whoever ends the thread waits for. */
function isLoading(node: Node): boolean {
  return node.type === 'CallExpression' && (node.callee as Node).name === 'loading'
}

function clockUse(node: Node): string | undefined {
  if (node.type === 'MemberExpression') {
    const name = `${(node.object as Node).name}.${(node.property as Node).name}`
    return CLOCKS.has(name) ? name : undefined
  }
  if (node.type === 'CallExpression' && TIMERS.has((node.callee as Node).name as string))
    return (node.callee as Node).name as string
  if (node.type !== 'NewExpression' || (node.callee as Node).name !== 'Date') return undefined
  return (node.arguments as Node[]).length === 0 ? 'new Date()' : undefined
}
