/**
 * WebSockets in Vite's development server, and on any server of Node's.
 *
 * @module
 */

export { switchboard, switchboard as default, switchboard as universalApi, switchboard as universalApiPlugin, upgrade } from './plugin.js'
export type { PluginApi, SwitchboardPlugin } from './plugin.js'

export { attach, createSwitchboard } from './attach.js'
export type { CloseOptions, Switchboard } from './attach.js'

export type {
  FeedOptions,
  LimitOptions,
  LogLevel,
  PluginOptions,
  ReplayOptions,
  SwitchboardOptions,
  UpstreamOptions,
} from './options.js'
export type { Logger } from './logger.js'
export type { Stats } from './stats.js'
export type { HttpServer, Upgrade } from './upgrade.js'
export type { Handle } from './request.js'
export type { CommandsClient, CommandsEvents, CommandsOptions } from './commands.js'

export type {
  Authenticate,
  AuthenticateResult,
  Awaitable,
  Callbacks,
  CompressionOptions,
  EventsOptions,
  MockEvent,
  OutboundOptions,
  PerMessageDeflateOptions,
  ResponseRule,
  RouteOptions,
  TokenAuthentication,
  UpgradeRequest,
  WebSocketHandler,
} from './handler.js'
export type {
  ChannelCallbacks,
  ChannelEvent,
  ChannelReply,
  ChannelSocket,
  DeclaredChannel,
  LeaveReason,
  PhoenixOptions,
} from './channel.js'
export type { ProxyInspector, ProxyOptions, ProxyTarget } from './proxy.js'
export type { BroadcastOptions, WebSocketConnection } from './connection.js'
