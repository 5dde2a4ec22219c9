// Regular expressions over topic names, as members of consumer groups subscribe with (KIP-848: RE2 syntax). Matched as RE2 does, by running all
// alternatives at once: the time is bounded by name times pattern, whatever the pattern, so that no client can stall the coordinator (a
// backtracking engine can be stalled by thirty characters). Whole names match. Pure.
//
// Understood: literals, . [] [^] \d \w \s and their opposites, \t \n \r \f \v \a \xHH \x{H} \Q..\E, [[:alpha:]] and kin, ( ) (?: ) (?P<name> ) (?i) (?s), |, * + ? {n} {n,} {n,m} with
// their lazy forms, ^ $ \A \z \b \B.

/** Steps of one program, so that counted repetitions cannot grow without bound. */
const PROGRAM_STEPS_MAX = 1_000
const REPEAT_MAX = 1_000
const NESTING_MAX = 200

type Test = (code: number) => boolean
type Assertion = 'start' | 'end' | 'boundary' | 'notBoundary'
type Step =
  | { readonly op: 'char'; readonly test: Test }
  | { readonly op: 'assert'; readonly what: Assertion }
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { readonly op: 'match' }

type Node =
  | { readonly kind: 'char'; readonly test: Test }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number }

/** Thrown for what is no pattern, or one that is too large. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

export type BoundedPattern = (topic: string) => boolean

/** Throws PatternError. */
export function compilePattern(source: string): BoundedPattern {
  const program = programOf(new Parser(source).parse())
  return topic => run(program, topic)
}

function run(program: readonly Step[], text: string): boolean {
  let threads = new Set<number>()
  const add = (set: Set<number>, at: number, position: number): void => {
    const waiting = [at]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (set.has(next)) continue
      set.add(next)
      const step = program[next]!
      if (step.op === 'jump') waiting.push(step.to)
      else if (step.op === 'split') waiting.push(step.first, step.second)
      else if (step.op === 'assert' && holds(step.what, text, position)) waiting.push(next + 1)
    }
  }
  add(threads, 0, 0)
  for (let position = 0; position < text.length && threads.size > 0; position++) {
    const code = text.charCodeAt(position)
    const next = new Set<number>()
    for (const at of threads) {
      const step = program[at]!
      if (step.op === 'char' && step.test(code)) add(next, at + 1, position + 1)
    }
    threads = next
  }
  return threads.has(program.length - 1)
}

function holds(what: Assertion, text: string, position: number): boolean {
  if (what === 'start') return position === 0
  if (what === 'end') return position === text.length
  const isBoundary = isWordAt(text, position - 1) !== isWordAt(text, position)
  return isBoundary === (what === 'boundary')
}

function isWordAt(text: string, position: number): boolean {
  return position >= 0 && position < text.length && isWord(text.charCodeAt(position))
}

function programOf(node: Node): readonly Step[] {
  const program: Step[] = []
  emit(program, node)
  program.push({ op: 'match' })
  return program
}

function emit(program: Step[], node: Node): void {
  if (program.length > PROGRAM_STEPS_MAX) throw new PatternError('the pattern is too large')
  if (node.kind === 'char') program.push({ op: 'char', test: node.test })
  else if (node.kind === 'assert') program.push({ op: 'assert', what: node.what })
  else if (node.kind === 'sequence') for (const part of node.parts) emit(program, part)
  else if (node.kind === 'choice') emitChoice(program, node.options)
  else emitRepeat(program, node)
}

function emitChoice(program: Step[], options: readonly Node[]): void {
  const jumps: { op: 'jump'; to: number }[] = []
  for (const [index, option] of options.entries()) {
    if (index === options.length - 1) {
      emit(program, option)
      break
    }
    const split: Step = { op: 'split', first: program.length + 1, second: 0 }
    program.push(split)
    emit(program, option)
    const jump = { op: 'jump' as const, to: 0 }
    jumps.push(jump)
    program.push(jump)
    split.second = program.length
  }
  for (const jump of jumps) jump.to = program.length
}

function emitRepeat(program: Step[], { part, min, max }: Extract<Node, { kind: 'repeat' }>): void {
  for (let i = 0; i < min; i++) emit(program, part)
  if (max === Number.POSITIVE_INFINITY) {
    const split: Step = { op: 'split', first: program.length + 1, second: 0 }
    const start = program.length
    program.push(split)
    emit(program, part)
    program.push({ op: 'jump', to: start })
    split.second = program.length
    return
  }
  const splits: { second: number }[] = []
  for (let i = min; i < max; i++) {
    const split = { op: 'split' as const, first: program.length + 1, second: 0 }
    splits.push(split)
    program.push(split)
    emit(program, part)
  }
  for (const split of splits) split.second = program.length
}

const isDigit: Test = code => code >= 48 && code <= 57
const isWord: Test = code => isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
const isSpace: Test = code => code === 32 || (code >= 9 && code <= 13 && code !== 11)
const not =
  (test: Test): Test =>
  code =>
    !test(code)
const exactly =
  (wanted: number): Test =>
  code =>
    code === wanted
const between =
  (low: number, high: number): Test =>
  code =>
    code >= low && code <= high

const classes: { readonly [letter: string]: Test } = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
}
const controls: { readonly [letter: string]: number } = { t: 9, n: 10, v: 11, f: 12, r: 13, a: 7 }
const assertions: { readonly [letter: string]: Assertion } = { A: 'start', z: 'end', b: 'boundary', B: 'notBoundary' }
const isLower = between(97, 122)
const isUpper = between(65, 90)
const named: { readonly [name: string]: Test } = {
  alpha: code => isLower(code) || isUpper(code),
  digit: isDigit,
  alnum: code => isLower(code) || isUpper(code) || isDigit(code),
  lower: isLower,
  upper: isUpper,
  word: isWord,
  space: code => isSpace(code) || code === 11,
  punct: code => code > 32 && code < 127 && !isDigit(code) && !isLower(code) && !isUpper(code),
  xdigit: code => isDigit(code) || between(97, 102)(code) || between(65, 70)(code),
}

class Parser {
  readonly #source: string
  #at = 0
  #depth = 0
  #ignoreCase = false
  #dotMatchesNewline = false

  constructor(source: string) {
    this.#source = source
  }

  parse(): Node {
    const node = this.#choice()
    if (this.#at < this.#source.length) this.#fail("a ')' without its '('")
    return node
  }

  #fail(what: string): never {
    throw new PatternError(`${what} at ${this.#at}`)
  }

  get #next(): string {
    return this.#source[this.#at] ?? ''
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #choice(): Node {
    const options = [this.#sequence()]
    while (this.#take('|')) options.push(this.#sequence())
    return options.length === 1 ? options[0]! : { kind: 'choice', options }
  }

  #sequence(): Node {
    const parts: Node[] = []
    while (this.#at < this.#source.length && this.#next !== '|' && this.#next !== ')') {
      if (this.#take('\\Q')) parts.push(...this.#quoted())
      else parts.push(this.#repeated(this.#atom()))
    }
    return { kind: 'sequence', parts }
  }

  /** A repetition behind the end is of the last character. */
  #quoted(): readonly Node[] {
    const nodes: Node[] = []
    while (this.#at < this.#source.length && !this.#take('\\E')) {
      nodes.push(this.#literal(this.#source.charCodeAt(this.#at++)))
    }
    const last = nodes.pop()
    return last === undefined ? [] : [...nodes, this.#repeated(last)]
  }

  #repeated(part: Node): Node {
    let node = part
    for (;;) {
      const bounds = this.#bounds()
      if (bounds === null) return node
      this.#take('?')
      node = { kind: 'repeat', part: node, ...bounds }
    }
  }

  #bounds(): { min: number; max: number } | null {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { min: 0, max: 1 }
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at, this.#at + 16))
    if (counted === null) return null
    this.#at += counted[0].length
    const min = Number(counted[1])
    const max = counted[2] === undefined ? min : counted[3] === '' ? Number.POSITIVE_INFINITY : Number(counted[3])
    if (min > REPEAT_MAX || (max > REPEAT_MAX && max !== Number.POSITIVE_INFINITY) || max < min) {
      this.#fail('a repetition out of range')
    }
    return { min, max }
  }

  #atom(): Node {
    const char = this.#next
    if (char === '*' || char === '+' || char === '?') this.#fail('nothing to repeat')
    if (this.#take('(')) return this.#group()
    if (this.#take('[')) return { kind: 'char', test: this.#set() }
    if (this.#take('\\')) return this.#escape()
    if (this.#take('^')) return { kind: 'assert', what: 'start' }
    if (this.#take('$')) return { kind: 'assert', what: 'end' }
    if (this.#take('.')) return { kind: 'char', test: this.#dotMatchesNewline ? () => true : not(exactly(10)) }
    return this.#literal(this.#source.charCodeAt(this.#at++))
  }

  #group(): Node {
    if (++this.#depth > NESTING_MAX) this.#fail('groups nested too deeply')
    const outer = [this.#ignoreCase, this.#dotMatchesNewline] as const
    if (this.#take('?')) {
      const opened = /^(:|P?<\w+>|([imsU]*)(-[imsU]+)?([:)]))/.exec(this.#source.slice(this.#at))
      if (opened === null) this.#fail('a group of an unknown kind')
      this.#at += opened[0].length
      if (opened[4] !== undefined) this.#flags(opened[2] ?? '', opened[3] ?? '')
      if (opened[4] === ')') {
        this.#depth--
        return { kind: 'sequence', parts: [] }
      }
    }
    const node = this.#choice()
    if (!this.#take(')')) this.#fail("a '(' without its ')'")
    this.#depth--
    const [ignoreCase, dotMatchesNewline] = outer
    this.#ignoreCase = ignoreCase
    this.#dotMatchesNewline = dotMatchesNewline
    return node
  }

  #flags(on: string, off: string): void {
    if (on.includes('i')) this.#ignoreCase = true
    if (on.includes('s')) this.#dotMatchesNewline = true
    if (off.includes('i')) this.#ignoreCase = false
    if (off.includes('s')) this.#dotMatchesNewline = false
  }

  #literal(code: number): Node {
    return { kind: 'char', test: this.#cased(exactly(code)) }
  }

  #cased(test: Test): Test {
    if (!this.#ignoreCase) return test
    return code => test(code) || (isLower(code) && test(code - 32)) || (isUpper(code) && test(code + 32))
  }

  #escape(): Node {
    const letter = this.#next
    const assertion = assertions[letter]
    if (assertion !== undefined) {
      this.#at++
      return { kind: 'assert', what: assertion }
    }
    return { kind: 'char', test: this.#cased(this.#escapedTest()) }
  }

  #escapedTest(): Test {
    const known = classes[this.#next]
    if (known === undefined) return exactly(this.#escapedCode())
    this.#at++
    return known
  }

  #escapedCode(): number {
    const hex = /^x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(this.#source.slice(this.#at, this.#at + 12))
    if (hex !== null) {
      this.#at += hex[0].length
      return Number.parseInt(hex[1] ?? hex[2]!, 16)
    }
    const letter = this.#next
    if (letter === '') this.#fail("a '\\' at the end")
    this.#at++
    const control = controls[letter]
    if (control !== undefined) return control
    if (isWord(letter.charCodeAt(0)) && letter !== '_') this.#fail(`an unknown escape \\${letter}`)
    return letter.charCodeAt(0)
  }

  #set(): Test {
    const isNegated = this.#take('^')
    const tests: Test[] = []
    // A ']' that comes first is a literal.
    for (let first = true; first || this.#next !== ']'; first = false) {
      if (this.#at >= this.#source.length) this.#fail("a '[' without its ']'")
      tests.push(this.#setItem())
    }
    this.#at++
    const any = this.#cased(code => tests.some(test => test(code)))
    return isNegated ? not(any) : any
  }

  #setItem(): Test {
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#source.slice(this.#at, this.#at + 16))
    if (posix !== null) {
      const test = named[posix[2]!]
      if (test === undefined) this.#fail('an unknown class of characters')
      this.#at += posix[0].length
      return posix[1] === '^' ? not(test) : test
    }
    if (this.#next === '\\' && classes[this.#source[this.#at + 1] ?? ''] !== undefined) {
      this.#at++
      return this.#escapedTest()
    }
    const low = this.#setCode()
    const isRange = this.#next === '-' && this.#source[this.#at + 1] !== ']' && this.#at + 1 < this.#source.length
    if (!isRange) return exactly(low)
    this.#at++
    const high = this.#setCode()
    if (high < low) this.#fail('a range that ends before it begins')
    return between(low, high)
  }

  #setCode(): number {
    return this.#take('\\') ? this.#escapedCode() : this.#source.charCodeAt(this.#at++)
  }
}
