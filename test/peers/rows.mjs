import { resolve } from 'node:path'

const certificates = resolve('test/support/certificates')
const key = 'a-key-of-both'
const ownCertificate = {
  'tls.crt_file': `${certificates}/server.pem`,
  'tls.key_file': `${certificates}/server-key.pem`,
}

/** Ways of sending that a row can have, with what each program calls them. */
const ways = {
  plain: {},
  acks: { acks: true },
  'acks and gzip': { acks: true, gzip: true },
  'acks and a shared key': { acks: true, security: true },
  'acks, a shared key, a user and TLS': { acks: true, security: true, user: true, tls: true },
}

export function* rows() {
  for (const peer of ['fluentd', 'fluent-bit']) {
    for (const [name, way] of Object.entries(ways)) {
      const make = { fluentd: ruby, 'fluent-bit': c, sluice: ruby }
      for (const [from, to] of [
        [peer, 'sluice'],
        ['sluice', peer],
      ]) {
        yield {
          name: `${from} to ${to}: ${name}`,
          from,
          to,
          recorded: to === 'sluice' && way.tls !== true && name !== 'plain',
          sender: (port, next) => make[from].sender(port, next, way),
          receiver: (port) => make[to].receiver(port, way),
        }
      }
    }
  }
}

const lines = (...all) => all.filter((line) => line !== undefined && line !== false).join('\n')

/** Fluentd's configuration, which Sluice reads too. */
const ruby = {
  receiver: (port, { security, user, tls }) =>
    lines(
      `<source>\n@type forward\nbind 127.0.0.1\nport ${port}`,
      security && `<security>\nself_hostname receiver\nshared_key ${key}`,
      user && 'user_auth true\n<user>\nusername alice\npassword wonder\n</user>',
      security && '</security>',
      tls && `<transport tls>\ncert_path ${certificates}/server.pem`,
      tls && `private_key_path ${certificates}/server-key.pem\n</transport>`,
      '</source>\n<match **>\n@type stdout\n<format>\n@type json\n</format>\n</match>\n',
    ),
  sender: (port, next, { acks, gzip, security, user, tls }) =>
    lines(
      `<source>\n@type forward\nbind 127.0.0.1\nport ${port}\n</source>`,
      `<match **>\n@type forward\nrequire_ack_response ${acks === true}`,
      gzip && 'compress gzip',
      tls && `transport tls\ntls_cert_path ${certificates}/ca.pem\ntls_verify_hostname false`,
      security && `<security>\nself_hostname sender\nshared_key ${key}\n</security>`,
      `<server>\nhost 127.0.0.1\nport ${next}`,
      user && 'username alice\npassword wonder',
      '</server>\n<buffer>\nflush_interval 0.2\n</buffer>\n</match>\n',
    ),
}

const section = (name, pairs) =>
  `[${name}]\n${Object.entries(pairs)
    .map(([key, value]) => `    ${key} ${value}\n`)
    .join('')}`
const service = section('SERVICE', { flush: 0.2, log_level: 'warn' })

/** Fluent Bit's configuration. */
const c = {
  receiver: (port, { security, user, tls }) =>
    service +
    section('INPUT', {
      name: 'forward',
      listen: '127.0.0.1',
      port,
      ...(security ? { shared_key: key, self_hostname: 'receiver' } : {}),
      ...(user ? { 'security.users': 'alice wonder' } : {}),
      ...(tls ? { tls: 'on', 'tls.verify': 'off', ...ownCertificate } : {}),
    }) +
    section('OUTPUT', { name: 'stdout', match: '*', format: 'json_lines' }),
  sender: (port, next, { acks, gzip, security, user, tls }) =>
    service +
    section('INPUT', { name: 'forward', listen: '127.0.0.1', port }) +
    section('OUTPUT', {
      name: 'forward',
      match: '*',
      host: '127.0.0.1',
      port: next,
      ...(acks ? { require_ack_response: 'true' } : {}),
      ...(gzip ? { compress: 'gzip' } : {}),
      ...(security ? { shared_key: key, self_hostname: 'sender' } : {}),
      ...(user ? { username: 'alice', password: 'wonder' } : {}),
      ...(tls ? { tls: 'on', 'tls.verify': 'on', 'tls.ca_file': `${certificates}/ca.pem` } : {}),
    }),
}
