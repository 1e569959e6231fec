/** JSON and YAML files that belong to a configuration, such as schemas. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { extname } from 'node:path'

import { errorText } from '../values/error.js'

/** What is in a file, or why that is not known: `FileContent` in `wasm/src/setup.rs`. */
type Content = { document: unknown } | { error: string }

/** Reads files, by their paths. */
export function readDocuments(paths: string[]): Record<string, Content> {
  return Object.fromEntries(paths.map((path) => [path, readDocument(path)]))
}

function readDocument(path: string): Content {
  try {
    const text = readFileSync(path, 'utf8')
    return { document: ['.yaml', '.yml'].includes(extname(path).toLowerCase()) ? parseYaml(text) : JSON.parse(text) }
  } catch (error) {
    return { error: errorText(error) }
  }
}

/** Who has no YAML file does not load its parser. */
function parseYaml(text: string): unknown {
  const { parse } = createRequire(import.meta.url)('yaml') as typeof import('yaml')
  // What JSON has: no dates, and no keys that are not text.
  return JSON.parse(JSON.stringify(parse(text) ?? null))
}
