/**
 * WebSockets in Vite's development server, and on any server of Node's.
 *
 * @module
 */

export { attach, createSwitchboard } from './attach.js'
export { defineHandler } from './define.js'
export { InvalidMessageError } from './values/validation.js'
export { loadHandlers } from './files/load.js'
export { switchboard, switchboard as default, switchboard as universalApi, switchboard as universalApiPlugin, upgrade } from './vite/plugin.js'

export type { Awaitable } from './interface/awaitable.js'
export type { Clock } from './interface/clock.js'
export type { CommandsClient, CommandsEvents, CommandsOptions } from './interface/commands.js'
export type {
  ActionsChannel,
  ActionsOptions,
  AsyncApi,
  AsyncApiOptions,
  ActionTemplate,
  ClientConditions,
  CompressionConfig as CompressionOptions,
  Condition,
  Contract,
  ContractMode,
  ContractOptions,
  Dialect,
  EventsOptions,
  EventsTable,
  Fault,
  FeedConfig as FeedOptions,
  KillmailsOptions,
  LimitsConfig as LimitOptions,
  Match,
  MockEvent,
  OutboundConfig as OutboundOptions,
  PerMessageDeflateConfig as PerMessageDeflateOptions,
  ProxyAuth,
  ProxyTargetTable as ProxyTarget,
  RealtimeOptions,
  ReplayOptions as ReplayRouteOptions,
  ReplaySettings as ReplayOptions,
  RecordConfig as RecordOptions,
  Rule,
  SchemaSource,
  Scenario as ScenarioOptions,
  ScenarioScript,
  ScenarioStep,
  TopicsOptions,
  UpstreamSettings as UpstreamOptions,
} from './interface/configuration.js'
export type { ControlAccess, ControlOptions } from './interface/control.js'
export type { BroadcastOptions, UpgradeRequest, WebSocketConnection } from './interface/connection.js'
export type { ConnectionFaults, FaultHandle, Faults, FaultScope } from './interface/faults.js'
export type { RecordingHandle, RecordingOptions, Recordings } from './interface/recordings.js'
export type { AuthDataOf, DefinedHandler, HandlerDefinition } from './interface/definition.js'
export type {
  Authenticate,
  AuthenticateResult,
  Callbacks,
  HandlerSettings,
  ResponseRule,
  RouteOptions,
  RouteSettings,
  TokenAuthentication,
  WebSocketHandler,
} from './interface/handler.js'
export type { Logger, LogLevel, PluginOptions, SwitchboardOptions } from './interface/options.js'
export type { ParamsOf } from './interface/pattern.js'
export type { PluginApi, SwitchboardPlugin } from './interface/plugin.js'
export type {
  ChannelCallbacks,
  ChannelEvent,
  ChannelReply,
  ChannelSocket,
  DeclaredChannel,
  LeaveReason,
  PhoenixOptions,
} from './interface/phoenix.js'
export type { ProxyInspector, ProxyOptions } from './interface/proxy.js'
export type { Audience, Room, Route } from './interface/route.js'
export type { InputOf, OutputOf, SchemaIssue, SchemaResult, StandardSchema } from './interface/schema.js'
export type { ByteCounts, Stats } from './interface/control-api.js'
export type { Duration } from './values/duration.js'
export type { CloseOptions, Handle, HttpServer, Switchboard, Upgrade } from './interface/switchboard.js'
