// What the engines hold. To be imported before the plugin, as it notes every instance of WebAssembly that is made.

/** @type {WeakRef<{ memory: { buffer: ArrayBuffer }, allocated_bytes: () => number }>[]} */
let engines = []

WebAssembly.Instance = class extends WebAssembly.Instance {
  constructor(module, imports) {
    super(module, imports)
    if ('allocated_bytes' in this.exports) engines.push(new WeakRef(this.exports))
  }
}

/** The memory of all engines, in bytes, and how much of it is in use. Memory never shrinks while its engine lives. */
export function engineMemory() {
  engines = engines.filter((engine) => engine.deref() !== undefined)
  let [memory, allocated] = [0, 0]
  for (const engine of engines) {
    const exports = engine.deref()
    memory += exports?.memory.buffer.byteLength ?? 0
    allocated += exports?.allocated_bytes() ?? 0
  }
  return { memory, allocated }
}
