// Written by help.mjs from what the native program says.

const SHORT: Record<string, string> = {
  "": `A WebSocket backend without backend code

Usage: switchboard [OPTIONS]
       switchboard <COMMAND>

Commands:
  serve     Serve WebSockets
  record    Record what a server says, as a proxy in front of it
  replay    Say again what a server said in a recording
  convert   Convert a recording from or to HAR
  asyncapi  Print an AsyncAPI 3 document of a configuration
  help      Print this message or the help of the given subcommand(s)

Options:
  -c, --config <FILE>   The configuration: TOML, or JSON if the name ends in .json
      --host <HOST>     Listen on this name or address instead of the configured one
  -p, --port <PORT>     Listen on this port instead of the configured one; 0 takes a free one
      --watch           Take the configuration anew whenever its file or a .env file changes; the
                        default when standard output is a terminal. SIGHUP does so in any case
      --no-watch        Do not
      --control         Switch the control API on, by which programs look at the server and act on
                        it, and print its token: a random one, or the variable
                        SWITCHBOARD_CONTROL_TOKEN
      --control-reveal  Show authData and query strings of connections in the control API, which may
                        hold secrets
      --check           Check the configuration and what belongs to it, and serve nothing
  -h, --help            Print help (see more with '--help')
  -V, --version         Print version

With Node.js there are two more:
  npx vite-plugin-switchboard init  Add Switchboard to a Vite project, or start one without Vite
  npx vite-plugin-switchboard mcp   Serve the control API to coding agents
`,
  "serve": `Serve WebSockets

Usage: switchboard serve [OPTIONS] [FILES]...

Arguments:
  [FILES]...  Handler files in JavaScript or TypeScript, as the Vite plugin's option \`files\` takes
              them: names or globs

Options:
      --prefix <PREFIX>  The prefix of the paths of handler files [default: /api]
  -c, --config <FILE>    The configuration: TOML, or JSON if the name ends in .json
      --host <HOST>      Listen on this name or address instead of the configured one
  -p, --port <PORT>      Listen on this port instead of the configured one; 0 takes a free one
      --watch            Take the configuration anew whenever its file or a .env file changes; the
                         default when standard output is a terminal. SIGHUP does so in any case
      --no-watch         Do not
      --control          Switch the control API on, by which programs look at the server and act on
                         it, and print its token: a random one, or the variable
                         SWITCHBOARD_CONTROL_TOKEN
      --control-reveal   Show authData and query strings of connections in the control API, which
                         may hold secrets
      --check            Check the configuration and what belongs to it, and serve nothing
  -h, --help             Print help (see more with '--help')
`,
  "record": `Record what a server says, as a proxy in front of it

Usage: switchboard record [OPTIONS] --out <FILE> <URL>

Arguments:
  <URL>  The server: ws:// or wss://

Options:
      --out <FILE>      The file, which is made or appended to
      --listen <PORT>   The port that clients connect to; 0 takes a free one [default: 4004]
      --mask <PATTERN>  Mask what this regular expression matches, too; can be given more than once
  -h, --help            Print help (see more with '--help')
`,
  "replay": `Say again what a server said in a recording

Usage: switchboard replay [OPTIONS] <FILE>

Arguments:
  <FILE>  The recording: .jsonl, or .har

Options:
      --listen <PORT>  The port that clients connect to; 0 takes a free one [default: 4004]
      --speed <SPEED>  How fast: 1 is the pace of the recording, 10 ten times as fast, instant
                       without waiting [default: 1]
      --match <MATCH>  How alike messages of clients and recorded ones have to be: exact, shape or
                       any [default: shape]
      --loop           Begin again at the end of a recorded conversation, instead of closing
  -h, --help           Print help (see more with '--help')
`,
  "convert": `Convert a recording from or to HAR

Usage: switchboard convert [OPTIONS] <IN> <OUT>

Arguments:
  <IN>   The file to read: .jsonl, .har, .zip or .zhar
  <OUT>  The file to write: .jsonl or .har

Options:
      --mask <PATTERN>  Mask what this regular expression matches, too; can be given more than once
      --reveal          Keep credentials as they are
  -h, --help            Print help (see more with '--help')
`,
  "asyncapi": `Print an AsyncAPI 3 document of a configuration

Usage: switchboard asyncapi [OPTIONS]

Options:
  -c, --config <FILE>  The configuration: TOML, or JSON if the name ends in .json. Without one: what
                       is served by default
      --title <TITLE>  The title of the document [default: Switchboard]
  -h, --help           Print help (see more with '--help')
`,
}

const LONG: Record<string, string> = {
  "": `A WebSocket backend without backend code.

Without a command it serves, as \`serve\` does.

Usage: switchboard [OPTIONS]
       switchboard <COMMAND>

Commands:
  serve     Serve WebSockets
  record    Record what a server says, as a proxy in front of it
  replay    Say again what a server said in a recording
  convert   Convert a recording from or to HAR
  asyncapi  Print an AsyncAPI 3 document of a configuration
  help      Print this message or the help of the given subcommand(s)

Options:
  -c, --config <FILE>
          The configuration: TOML, or JSON if the name ends in .json

      --host <HOST>
          Listen on this name or address instead of the configured one

  -p, --port <PORT>
          Listen on this port instead of the configured one; 0 takes a free one

      --watch
          Take the configuration anew whenever its file or a .env file changes; the default when
          standard output is a terminal. SIGHUP does so in any case

      --no-watch
          Do not

      --control
          Switch the control API on, by which programs look at the server and act on it, and print
          its token: a random one, or the variable SWITCHBOARD_CONTROL_TOKEN

      --control-reveal
          Show authData and query strings of connections in the control API, which may hold secrets

      --check
          Check the configuration and what belongs to it, and serve nothing

  -h, --help
          Print help (see a summary with '-h')

  -V, --version
          Print version

With Node.js there are two more:
  npx vite-plugin-switchboard init  Add Switchboard to a Vite project, or start one without Vite
  npx vite-plugin-switchboard mcp   Serve the control API to coding agents
`,
  "serve": `Serve WebSockets

Serves the handlers of files, and the routes of a configuration file; without either, all five
systems side by side, to try things out. WEBSOCKET_* variables, also in .env files of the working
directory, add mock events and proxies. RUST_LOG sets what is logged (default: info);
DEBUG=switchboard shows connections and messages.

Usage: switchboard serve [OPTIONS] [FILES]...

Arguments:
  [FILES]...
          Handler files in JavaScript or TypeScript, as the Vite plugin's option \`files\` takes them:
          names or globs

Options:
      --prefix <PREFIX>
          The prefix of the paths of handler files
          
          [default: /api]

  -c, --config <FILE>
          The configuration: TOML, or JSON if the name ends in .json

      --host <HOST>
          Listen on this name or address instead of the configured one

  -p, --port <PORT>
          Listen on this port instead of the configured one; 0 takes a free one

      --watch
          Take the configuration anew whenever its file or a .env file changes; the default when
          standard output is a terminal. SIGHUP does so in any case

      --no-watch
          Do not

      --control
          Switch the control API on, by which programs look at the server and act on it, and print
          its token: a random one, or the variable SWITCHBOARD_CONTROL_TOKEN

      --control-reveal
          Show authData and query strings of connections in the control API, which may hold secrets

      --check
          Check the configuration and what belongs to it, and serve nothing

  -h, --help
          Print help (see a summary with '-h')
`,
  "record": `Record what a server says, as a proxy in front of it

Clients connect to this program instead of the server, with the same path or one below it. What
passes is appended to the file as it happens, without credentials.

Usage: switchboard record [OPTIONS] --out <FILE> <URL>

Arguments:
  <URL>
          The server: ws:// or wss://

Options:
      --out <FILE>
          The file, which is made or appended to

      --listen <PORT>
          The port that clients connect to; 0 takes a free one
          
          [default: 4004]

      --mask <PATTERN>
          Mask what this regular expression matches, too; can be given more than once

  -h, --help
          Print help (see a summary with '-h')
`,
  "replay": `Say again what a server said in a recording

Takes .jsonl files of \`switchboard record\`, and .har files. Clients connect with the paths of the
recording, and hear what was said there, at the pace of then. It is short for a configuration with a
route of the dialect replay, which can say more.

Usage: switchboard replay [OPTIONS] <FILE>

Arguments:
  <FILE>
          The recording: .jsonl, or .har

Options:
      --listen <PORT>
          The port that clients connect to; 0 takes a free one
          
          [default: 4004]

      --speed <SPEED>
          How fast: 1 is the pace of the recording, 10 ten times as fast, instant without waiting
          
          [default: 1]

      --match <MATCH>
          How alike messages of clients and recorded ones have to be: exact, shape or any
          
          [default: shape]

      --loop
          Begin again at the end of a recorded conversation, instead of closing

  -h, --help
          Print help (see a summary with '-h')
`,
  "convert": `Convert a recording from or to HAR

Reads .jsonl, and .har as Chrome's network panel, Playwright and mitmproxy write it, also in
Playwright's .zip and mitmproxy's .zhar. Writes .jsonl, and .har that Chrome's network panel
imports. Credentials are masked.

Usage: switchboard convert [OPTIONS] <IN> <OUT>

Arguments:
  <IN>
          The file to read: .jsonl, .har, .zip or .zhar

  <OUT>
          The file to write: .jsonl or .har

Options:
      --mask <PATTERN>
          Mask what this regular expression matches, too; can be given more than once

      --reveal
          Keep credentials as they are

  -h, --help
          Print help (see a summary with '-h')
`,
  "asyncapi": `Print an AsyncAPI 3 document of a configuration

It is JSON, and says what the configuration says: the paths with their parameters, subprotocols,
where a token stands, and the contracts of messages.

Usage: switchboard asyncapi [OPTIONS]

Options:
  -c, --config <FILE>
          The configuration: TOML, or JSON if the name ends in .json. Without one: what is served by
          default

      --title <TITLE>
          The title of the document
          
          [default: Switchboard]

  -h, --help
          Print help (see a summary with '-h')
`,
}

/** How each command is used, and the program without one. */
export const USAGES: Record<string, string> = {
  "": `switchboard [OPTIONS]
       switchboard <COMMAND>`,
  "serve": `switchboard serve [OPTIONS] [FILES]...`,
  "record": `switchboard record [OPTIONS] --out <FILE> <URL>`,
  "replay": `switchboard replay [OPTIONS] <FILE>`,
  "convert": `switchboard convert [OPTIONS] <IN> <OUT>`,
  "asyncapi": `switchboard asyncapi [OPTIONS]`,
}

/** What `-h` prints. */
export function shortHelp(command: string): string {
  return SHORT[command]!
}

/** What `--help` prints. */
export function longHelp(command: string): string {
  return LONG[command]!
}
