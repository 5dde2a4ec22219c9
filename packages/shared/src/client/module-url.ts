// Where a module lies that runs on threads of its own. It is loaded from another file than the caller's, so a path that begins with a dot would lead elsewhere.
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { KafkaError } from '../base/errors.ts'
import { shown } from './options.ts'

/** As text for `import()`: of a URL, of its text, or of an absolute path. Throws ODK_OPTION_INVALID for anything else; `name` says what of. */
export function moduleUrl(name: string, given: URL | string): string {
  if (given instanceof URL) return given.href
  if (typeof given === 'string' && isAbsolute(given)) return pathToFileURL(given).href
  if (typeof given === 'string' && /^(?:file|data):/.test(given)) return given
  const expected = "a URL, such as new URL('./handler.js', import.meta.url), or an absolute path"
  throw new KafkaError('ODK_OPTION_INVALID', `${name} must be ${expected}, got ${shown(given)}`)
}
