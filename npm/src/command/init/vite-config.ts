/** Adds the plugin to the text of a Vite configuration, and leaves the rest of it as it is. */

import { type AnyNode, type ArrayExpression, type ObjectExpression, parse, type Program, type Property } from 'acorn'

/**
 * The text with the plugin in it, `present` if the package is in it already, or `undefined` where the configuration has a form
 * in which the place of the plugin is not certain.
 */
export function addPlugin(text: string, name: string, options: string): string | 'present' | undefined {
  if (new RegExp(`['"]${name}['"]`).test(text)) return 'present'
  const program = parsed(text)
  const config = program && configOf(program)
  if (config === undefined || declares(program!, 'switchboard')) return undefined
  const edits = [importEdit(program!, text, name), pluginEdit(config, text, `switchboard(${options})`)]
  if (edits.includes(undefined)) return undefined
  const edited = (edits as Edit[]).sort((a, b) => b.at - a.at).reduce((text, { at, insert }) => text.slice(0, at) + insert + text.slice(at), text)
  return parsed(edited) === undefined ? undefined : edited
}

/** A text that is put at a place of another. */
interface Edit {
  at: number
  insert: string
}

/** What is not JavaScript, such as types, is not edited. */
function parsed(text: string): Program | undefined {
  try {
    return parse(text, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true })
  } catch {
    return undefined
  }
}

/** The object that is the configuration. */
function configOf(program: Program): ObjectExpression | undefined {
  const exported = program.body.find((node) => node.type === 'ExportDefaultDeclaration')
  return exported && objectOf(exported.declaration as AnyNode, program)
}

/** The object that an expression is, or returns: of `defineConfig`, of a function, or of a variable. */
function objectOf(node: AnyNode | null | undefined, program: Program, depth = 0): ObjectExpression | undefined {
  if (!node || depth > 5) return undefined
  const within = (inner: AnyNode | null | undefined): ObjectExpression | undefined => objectOf(inner, program, depth + 1)
  switch (node.type) {
    case 'ObjectExpression':
      return node
    case 'CallExpression':
      return node.callee.type === 'Identifier' && node.callee.name === 'defineConfig' ? within(node.arguments[0]) : undefined
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
    case 'FunctionDeclaration': {
      if (node.body.type !== 'BlockStatement') return within(node.body)
      const returns = node.body.body.filter((statement) => statement.type === 'ReturnStatement')
      // One that returns from elsewhere, too, has more than one configuration.
      const isPlain = node.body.body.every(({ type }) => ['ReturnStatement', 'VariableDeclaration', 'ExpressionStatement'].includes(type))
      return isPlain && returns.length === 1 ? within(returns[0]!.argument) : undefined
    }
    case 'Identifier': {
      const variables = program.body.flatMap((statement) => (statement.type === 'VariableDeclaration' ? statement.declarations : []))
      return within(variables.find(({ id }) => id.type === 'Identifier' && id.name === node.name)?.init)
    }
    default:
      return undefined
  }
}

/** Whether the module has something of this name already. */
function declares(program: Program, name: string): boolean {
  return program.body.some((node) => {
    if (node.type === 'ImportDeclaration') return node.specifiers.some(({ local }) => local.name === name)
    if (node.type === 'VariableDeclaration') return node.declarations.some(({ id }) => id.type === 'Identifier' && id.name === name)
    return node.type === 'FunctionDeclaration' && node.id?.name === name
  })
}

/** Behind the last import, and written like it. */
function importEdit(program: Program, text: string, name: string): Edit | undefined {
  const last = program.body.filter((node) => node.type === 'ImportDeclaration').at(-1)
  if (last === undefined) return { at: program.body[0]?.start ?? 0, insert: `import switchboard from '${name}'\n\n` }
  const quote = last.source.raw?.[0] ?? "'"
  const end = text[last.end - 1] === ';' ? ';' : ''
  return { at: last.end, insert: `\nimport switchboard from ${quote}${name}${quote}${end}` }
}

function pluginEdit(config: ObjectExpression, text: string, call: string): Edit | undefined {
  const plugins = config.properties.find((property): property is Property => property.type === 'Property' && keyOf(property) === 'plugins')
  if (plugins !== undefined) return plugins.value.type === 'ArrayExpression' ? elementEdit(plugins.value, text, call) : undefined
  const [first] = config.properties
  // A property that is spread in may have plugins of its own, which this one would replace or be replaced by.
  if (config.properties.some(({ type }) => type === 'SpreadElement')) return undefined
  if (first === undefined) return { at: config.start + 1, insert: `\n  plugins: [${call}],\n` }
  const indent = indentOf(text, first.start)
  return { at: first.start, insert: indent === undefined ? `plugins: [${call}], ` : `plugins: [${call}],\n${indent}` }
}

/** Behind the last plugin, on a line of its own if that has one. */
function elementEdit({ elements, start }: ArrayExpression, text: string, call: string): Edit | undefined {
  const last = elements.at(-1)
  if (elements.length === 0) return { at: start + 1, insert: call }
  if (!last) return undefined
  const indent = indentOf(text, last.start)
  return { at: last.end, insert: indent === undefined ? `, ${call}` : `,\n${indent}${call}` }
}

function keyOf({ key, computed }: Property): string | undefined {
  if (computed) return undefined
  return key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : undefined
}

/** What stands before a place on its line, if that is white space alone. */
function indentOf(text: string, at: number): string | undefined {
  const before = text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
  return text.lastIndexOf('\n', at - 1) !== -1 && before.trim() === '' ? before : undefined
}
