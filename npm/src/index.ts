/**
 * WebSockets in Vite's development server, and on any server of Node's.
 *
 * @module
 */

export { switchboard, switchboard as default, switchboard as universalApi, switchboard as universalApiPlugin, upgrade } from './vite/plugin.js'
export type { PluginApi, SwitchboardPlugin } from './vite/plugin.js'

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
} from './config/options.js'
export type { Logger } from './host/logger.js'
export type { Stats } from './host/stats.js'
export type { HttpServer, Upgrade } from './accept/upgrade.js'
export type { Handle } from './accept/request.js'
export type { CommandsClient, CommandsEvents, CommandsOptions } from './dialect/commands.js'

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
} from './config/handler.js'
export type {
  ChannelCallbacks,
  ChannelEvent,
  ChannelReply,
  ChannelSocket,
  DeclaredChannel,
  LeaveReason,
  PhoenixOptions,
} from './dialect/channel.js'
export type { ProxyInspector, ProxyOptions, ProxyTarget } from './dialect/proxy.js'
export type { BroadcastOptions, WebSocketConnection } from './connection/connection.js'
export type { Audience, Room, Route } from './connection/route.js'
