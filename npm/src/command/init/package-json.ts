/** Adds the package, and a script, to `package.json`, in the form that the file has. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { version } from '../version.js'
import type { Changes } from './changes.js'
import { type Manifest, nameFor, type Project } from './project.js'

const NAME = 'vite-plugin-switchboard'
const FILE = 'package.json'

/** Adds the development dependency, and scripts of names that are free. */
export function addPackage({ folder, manifest }: Project, changes: Changes, scripts: Record<string, string> = {}): void {
  if (manifest === undefined) {
    const fresh = { name: nameFor(folder), private: true, type: 'module', scripts, devDependencies: { [NAME]: wanted() } }
    return changes.create(FILE, `${JSON.stringify(fresh, null, 2)}\n`)
  }
  const added: string[] = []
  const next: Manifest = { ...manifest }
  for (const [name, command] of Object.entries(scripts)) {
    if (next.scripts?.[name] !== undefined) continue
    next.scripts = { ...next.scripts, [name]: command }
    added.push(`the script ${name}`)
  }
  if (manifest.dependencies?.[NAME] === undefined && manifest.devDependencies?.[NAME] === undefined) {
    next.devDependencies = sorted({ ...manifest.devDependencies, [NAME]: wanted() })
    added.push(`${NAME} ${wanted()}`)
  }
  if (added.length === 0) return
  const text = readFileSync(join(folder, FILE), 'utf8')
  const indent = /^[ \t]+/m.exec(text)?.[0] ?? '  '
  changes.update(FILE, JSON.stringify(next, null, indent) + (/\s*$/.exec(text)?.[0] ?? ''), added.join(', '))
}

function wanted(): string {
  return `^${version()}`
}

/** As package managers write it. */
function sorted(packages: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
}
