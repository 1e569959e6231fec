/** A configuration file of the plugin is read again when it is saved; Vite does not restart for it. */

import { expect, test } from 'vitest'

import { connect } from './support/client.js'
import { configuration, Project, versions } from './support/project.js'

const rules = (answer: string, more = ''): string => `
[[routes]]
pattern = "/chat"
defaultRoom = "lobby"

[[routes.rules]]
do = [{ reply = { answer = "${answer}", rooms = "{connection.rooms}" } }]
${more}`

const GONE = '\n[[routes]]\npattern = "/gone"\ndialect = "echo"\n'

test.each(versions)('Vite %s takes another configuration, and what is wrong with one is said', async (_, vite) => {
  const project = new Project()
  project.write('vite.config.mjs', configuration("{ config: 'switchboard.toml' }"))
  project.write('switchboard.toml', rules('one', GONE))
  await project.start(vite)
  const [staying, leaving] = [await connect(project.url('/chat')), await connect(project.url('/gone'))]
  staying.send('{}')
  expect(await staying.json()).toMatchObject({ answer: 'one' })

  await project.save('switchboard.toml', rules('two'))
  expect(await leaving.ended).toEqual({ code: 1012, reason: 'The route was removed' })
  await project.logged('reloaded switchboard.toml: 1 route changed, 1 removed; 1 connection kept, 1 closed')
  staying.send('{}')
  expect(await staying.json()).toMatchObject({ answer: 'two' })

  await project.save('switchboard.toml', rules('three', 'heartbaet = 1'))
  await project.logged('routes[0].rules[0].heartbaet: unknown key')
  staying.send('{}')
  expect(await staying.json()).toMatchObject({ answer: 'two' })

  await project.replace('switchboard.toml', rules('four'))
  await project.logged('reloaded switchboard.toml: 1 route changed; 1 connection kept')
  staying.send('{}')
  expect(await staying.json()).toMatchObject({ answer: 'four' })
  expect(project.lines.filter((line) => line.includes('restart'))).toEqual([])
})

test('a cluster is for the native server, which is said once', async () => {
  // Its URL is not known here.
  const cluster = '\n[cluster]\nurl = "${URL_OF_THE_BROKER}"\n'
  const project = new Project()
  project.write('vite.config.mjs', configuration("{ config: 'switchboard.toml' }"))
  project.write('switchboard.toml', rules('one', cluster))
  await project.start(versions[0]![1])
  await project.save('switchboard.toml', rules('two', cluster))
  await project.logged('reloaded switchboard.toml')
  const told = project.lines.filter((line) => line.includes('cluster'))
  expect(told).toEqual([expect.stringContaining('the cluster of the configuration is for the native server: this server is on its own')])
})
