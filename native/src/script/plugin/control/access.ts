/** Where the control API is, and which variable holds its token: what servers and clients agree on. */

/** The root of the API on a server. */
export const PATH = '/__switchboard/api/v1'

/** The environment variable that may hold the token. */
export const VARIABLE = 'SWITCHBOARD_CONTROL_TOKEN'
