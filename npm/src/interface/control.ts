/** The control API of a running server. */

/** Who may use the control API, and what it shows. */
export interface ControlOptions {
  /**
   * What every request shows as `Authorization: Bearer <token>`. Default: the variable `SWITCHBOARD_CONTROL_TOKEN`, or else a
   * random one.
   */
  token?: string
  /** Whether only clients of this machine may ask. Default `true`. */
  loopbackOnly?: boolean
  /** Whether `authData` and query strings of connections are shown, which may hold secrets. Default `false`. */
  reveal?: boolean
}

/** How the control API is reached. */
export interface ControlAccess {
  /** The path of its root, on the server's own address. */
  readonly path: string
  /** What every request has to show. */
  readonly token: string
}
