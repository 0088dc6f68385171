import net from 'node:net'

/**
 * Below the ports that the system gives to outgoing connections and to whoever asks for any, and beside those of the
 * protocols (24224). Processes of tests that run at the same time begin at different places.
 */
const [first, count] = [26_000, 6_000]
/** Each with a few behind it that are not given: the further workers of a source take the next ones. */
const step = 7
let tried = process.pid * 97

/** A port of 127.0.0.1 that nobody listens on. Never the same twice in a process, before there were so many. */
export async function freePort() {
  for (;;) {
    tried += step
    const port = first + (tried % count)
    if (await isFree(port)) return port
  }
}

function isFree(port) {
  return new Promise((done) => {
    const server = net.createServer()
    server.once('error', () => done(false))
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)))
  })
}
