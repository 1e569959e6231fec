/** What TypeScript says of options: the same as the schema that the engine checks them by. */

import { expectTypeOf, test } from 'vitest'
import type { PluginOptions, RouteOptions, SwitchboardOptions } from 'vite-plugin-switchboard'

import type { Config, RouteConfig, TokenConfig } from '../src/interface/configuration.js'

/** In options, what is `null` is left out. */
type Given<T> = { [Key in keyof T]: NonNullable<T[Key]> }

/** Named by a list of feeds, for handlers in Rust. */
type ForRust = 'feeds'

test('what the schema allows a route to have, RouteOptions has', () => {
  type Settings = Omit<RouteConfig, ForRust | 'authenticate' | 'phoenix' | 'commands'>
  expectTypeOf<Given<Settings>>().toExtend<RouteOptions>()
  expectTypeOf<Exclude<keyof RouteConfig, ForRust>>().toExtend<keyof RouteOptions>()
  expectTypeOf<keyof NonNullable<RouteConfig['commands']>>().toExtend<keyof NonNullable<RouteOptions['commands']> | 'events'>()
  expectTypeOf<keyof NonNullable<RouteConfig['phoenix']>>().toEqualTypeOf<keyof NonNullable<RouteOptions['phoenix']>>()
  expectTypeOf<keyof TokenConfig>().toEqualTypeOf<'token' | 'missing' | 'invalid'>()
})

test('what the schema allows a server to have, its options have', () => {
  type ForFiles = '$schema' | 'listen' | 'prefix' | 'routes' | 'allowedHosts'
  expectTypeOf<Given<Omit<Config, ForFiles>>>().toExtend<SwitchboardOptions>()
  expectTypeOf<Given<Omit<Config, ForFiles>>>().toExtend<PluginOptions>()
})

test('declarative parts are typed', () => {
  const options: SwitchboardOptions = {
    routes: [
      {
        pattern: '/rules',
        rules: [
          { on: 'connect', do: [{ join: '{connection.params.room}' }] },
          { match: { type: 'ping', 'user.id': { exists: true } }, do: [{ reply: { type: 'pong' } }] },
          // @ts-expect-error There is no such event.
          { on: 'conect', do: [] },
          // @ts-expect-error There is no such action.
          { do: [{ replay: 1 }] },
          // @ts-expect-error A rule does something.
          { match: 'x' },
        ],
      },
      { pattern: '/actions', dialect: 'actions', actions: { channels: [{ name: 'kills', feed: 'kills' }] } },
      // @ts-expect-error There is no such setting.
      { pattern: '/actions', dialect: 'actions', actions: { chanels: [] } },
      // @ts-expect-error It is a text.
      { pattern: '/topics', dialect: 'topics', topics: { feed: 1 } },
      // @ts-expect-error There is no such setting.
      { pattern: '/socket/websocket', dialect: 'phoenix', phoenix: { killmails: { feeed: 'kills' } } },
      // @ts-expect-error There is no such dialect.
      { pattern: '/', dialect: 'eco' },
    ],
    // @ts-expect-error It is a number.
    feeds: [{ name: 'kills', history: '100' }],
    // @ts-expect-error There is no such limit.
    limits: { maxConections: 1 },
  }
  expectTypeOf(options).toExtend<PluginOptions>()
})
