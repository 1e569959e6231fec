// Compiles the TypeScript into dist/ and puts the engine and the inspector's files beside it.

import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const folder = import.meta.dirname
const engine = ['switchboard_wasm.js', 'switchboard_wasm.d.ts', 'switchboard_wasm_bg.wasm']

if (engine.some((file) => !existsSync(join(folder, 'generated', file)))) {
  console.error('The engine is not built. Run "cargo xtask wasm" first.')
  process.exit(1)
}
rmSync(join(folder, 'dist'), { recursive: true, force: true })
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
execFileSync(process.execPath, [join(typescript, 'bin/tsc'), '--project', 'tsconfig.build.json'], {
  cwd: folder,
  stdio: 'inherit',
})
for (const file of engine) {
  copyFileSync(join(folder, 'generated', file), join(folder, 'dist', file))
}
// The native server embeds the same files.
cpSync(join(folder, '../native/inspector'), join(folder, 'dist/inspector/page'), { recursive: true })
// What it serves without a configuration.
copyFileSync(join(folder, '../native/switchboard.toml'), join(folder, 'dist/command/switchboard.toml'))
