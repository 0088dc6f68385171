// Writes dist/compiled.bin: what V8 makes of the built code, with the functions that a first start and a first message run
// (src/host/built-code.ts). A build without it works as well; it starts slower.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const limitMs = 30_000
const { load, saveCompiled } = createRequire(import.meta.url)('../dist/load.js')

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** What most have, and the embedded default. */
function configuration(directory, [forward, http, metrics]) {
  const store = (text, buffer) =>
    `<store>\n${text}\n<buffer>\n${buffer}\nflush_mode immediate\n</buffer>\n</store>`
  const source = (type, port) => `<source>\n@type ${type}\nbind 127.0.0.1\nport ${port}\n</source>`
  return `${source('forward', forward)}
${source('http', http)}
${source('prometheus', metrics)}
<source>
@type prometheus_output_monitor
</source>
<source>
@type tail
path ${directory}/none.log
pos_file ${directory}/pos
tag tail
<parse>
@type none
</parse>
</source>
<filter none>
@type record_transformer
<record>
a b
</record>
</filter>
<match **>
@type copy
<store>
@type stdout
</store>
${store(`@type file\npath ${directory}/a`, '@type memory')}
${store(`@type file\npath ${directory}/b`, `@type file\npath ${directory}/buffer`)}
</match>
`
}

/** ["test", 1700091136, {"log": "hello"}, {"chunk": "abcd"}] */
const message = Buffer.from(
  '94a474657374ce6555550081a36c6f67a568656c6c6f81a56368756e6ba461626364',
  'hex',
)

/** Resolves when the message's ack is there. */
function sendOne(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(message))
    socket.once('error', reject)
    socket.once('data', () => socket.end(resolve))
  })
}

async function untilSent(port) {
  for (;;) {
    try {
      return await sendOne(port)
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** Starts the code in this process, gives it a message, and keeps what V8 has compiled by then. */
async function compile(directory) {
  const ports = [await freePort(), await freePort(), await freePort()]
  const file = path.join(directory, 'fluent.conf')
  writeFileSync(file, configuration(directory, ports))
  load('main.js').main('sluice', ['-c', file, '-q', '--no-supervisor'])
  await untilSent(ports[0])
  saveCompiled()
  process.exit(0)
}

const [directory] = process.argv.slice(2)
if (directory !== undefined) {
  await compile(directory)
} else {
  const made = mkdtempSync(path.join(tmpdir(), 'sluice-build-'))
  // In a process of its own: the event goes to standard output.
  const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), made], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: limitMs,
  })
  rmSync(made, { recursive: true, force: true })
  if (status !== 0)
    process.stderr.write('compile: the code did not run here: Sluice works, and starts slower\n')
}
