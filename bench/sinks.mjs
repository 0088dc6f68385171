// The other ends: where a cell's events arrive, and what is counted there.
import fs from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import path from 'node:path'
import zlib from 'node:zlib'
import { Verifier } from './verify.mjs'

/** Every sink: `open` before the server starts, `settle` reads what is only there at the end. */
const nothing = { async open() {}, async close() {}, settle() {} }

function httpSink(verifier, port) {
  const server = http.createServer((request, response) => {
    const stream = verifier.stream()
    const zipped = request.headers['content-encoding'] === 'gzip'
    const body = zipped ? request.pipe(zlib.createGunzip()) : request
    body.on('data', (data) => verifier.feed(data, stream))
    body.on('end', () => response.writeHead(200).end())
    // A peer sends the magic bytes of something else: that run has then failed, and says so by its count.
    body.on('error', (error) => response.writeHead(400).end(error.message))
    if (zipped) request.on('data', (data) => (verifier.wireBytes += data.length))
  })
  return {
    ...nothing,
    open: () => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
    close: () => new Promise((resolve) => server.closeAllConnections() ?? server.close(resolve)),
  }
}

/** Bytes of the values of a fixed length, by first byte. */
const fixed = {
  ...{ 192: 1, 194: 1, 195: 1, 202: 5, 203: 9 },
  ...{ 204: 2, 205: 3, 206: 5, 207: 9, 208: 2, 209: 3, 210: 5, 211: 9 },
  ...{ 212: 3, 213: 4, 214: 6, 215: 10, 216: 18 },
}

/** Length of the MessagePack value's head at `at`, and of its body; arrays and maps: of their heads only. */
function head(bytes, at) {
  const first = bytes[at]
  if (first >= 0x90 && first <= 0x9f) return { items: first & 15, bytes: 1 }
  if (first >= 0x80 && first <= 0x8f) return { items: (first & 15) * 2, bytes: 1 }
  if (first >= 0xa0 && first <= 0xbf) return { from: at + 1, bytes: 1 + (first & 31) }
  const sized = { 196: 1, 197: 2, 198: 4, 217: 1, 218: 2, 219: 4 }[first]
  if (sized !== undefined) {
    if (at + 1 + sized > bytes.length) return undefined
    return { from: at + 1 + sized, bytes: 1 + sized + bytes.readUIntBE(at + 1, sized) }
  }
  if (first >= 0xdc && first <= 0xdf) {
    const size = first % 2 === 0 ? 2 : 4
    if (at + 1 + size > bytes.length) return undefined
    return { items: bytes.readUIntBE(at + 1, size) * (first < 0xde ? 1 : 2), bytes: 1 + size }
  }
  const plain = fixed[first]
  return { bytes: plain ?? (first < 0x80 || first >= 0xe0 ? 1 : Number.NaN) }
}

/** Feeds the payloads of whole messages [tag, payload, option] to `payload`; returns what is left over. */
function eachPayload(bytes, payload) {
  let done = 0
  messages: for (;;) {
    let at = done
    let open = 1
    let body
    for (let value = 0; open > 0; value++) {
      if (at >= bytes.length) break messages
      const part = head(bytes, at)
      if (part === undefined || at + part.bytes > bytes.length) break messages
      if (Number.isNaN(part.bytes)) throw new Error('the sink got what is no message')
      if (value === 2) body = bytes.subarray(part.from, at + part.bytes)
      open += (part.items ?? 0) - 1
      at += part.bytes
    }
    payload(body)
    done = at
  }
  return bytes.subarray(done)
}

function forwardSink(verifier, port, zipped) {
  const sockets = new Set()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    const stream = verifier.stream()
    let rest = Buffer.alloc(0)
    socket.on('data', (data) => {
      if (!zipped) {
        verifier.feed(data, stream)
        return
      }
      verifier.wireBytes += data.length
      rest = eachPayload(rest.length ? Buffer.concat([rest, data]) : data, (payload) =>
        verifier.feed(zlib.gunzipSync(payload), stream),
      )
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  return {
    ...nothing,
    open: () => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve)),
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

function fileSink(verifier, dir) {
  const offsets = new Map()
  return {
    ...nothing,
    /** Reads what the files have grown by. */
    settle() {
      for (const name of fs.readdirSync(dir).filter((n) => n.startsWith('out'))) {
        if (fs.statSync(path.join(dir, name)).isDirectory()) continue
        const fd = fs.openSync(path.join(dir, name))
        const piece = Buffer.allocUnsafe(1 << 20)
        let at = offsets.get(name) ?? 0
        for (;;) {
          const n = fs.readSync(fd, piece, 0, piece.length, at)
          if (n === 0) break
          verifier.feed(piece.subarray(0, n))
          at += n
        }
        offsets.set(name, at)
        fs.closeSync(fd)
      }
    },
  }
}

/** Where events end up; `verifier` is fed by it. `kind` is that of cells.mjs. */
export function makeSink(kind, { dir, port, ids }) {
  const verifier = new Verifier(ids)
  const sink =
    kind.to === 'http'
      ? httpSink(verifier, port)
      : kind.to === 'forward'
        ? forwardSink(verifier, port, kind.gzip === true)
        : kind.to === 'file'
          ? fileSink(verifier, dir)
          : nothing
  return { ...sink, verifier }
}
