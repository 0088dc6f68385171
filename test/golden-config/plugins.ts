import { createRegistry, type RegisteredPlugin } from '../../src/config/index.ts'
import * as s from '../../src/config/schema.ts'

/** Small plugins that have every kind of parameter and section: what the bind cases are written for. */
const plugins: RegisteredPlugin[] = [
  {
    kind: 'source',
    name: 'forward',
    shape: {
      params: {
        port: s.integer({ description: 'Port.', default: 24224 }),
        bind: s.string({ description: 'Address.', default: '0.0.0.0' }),
        chunk_size_limit: s.size({ description: 'Limit.' }),
        linger_timeout: s.integer({
          description: 'Linger.',
          deprecated: 'it has no effect any more',
        }),
        resolve_hostname: s.bool({ description: 'Resolve.', default: false }),
        tag: s.string({
          description: 'Tag.',
          check: (value) => (value === '' ? 'must not be empty' : undefined),
        }),
      },
      sections: {
        security: s.section(
          {
            params: {
              self_hostname: s.string({ description: 'Name.', required: true }),
              shared_key: s.string({ description: 'Key.', required: true, secret: true }),
            },
            sections: {
              user: s.section(
                {
                  params: {
                    username: s.string({ description: 'Name.', required: true }),
                    password: s.string({ description: 'Password.', required: true, secret: true }),
                  },
                },
                { description: 'Users.', multi: true },
              ),
            },
          },
          { description: 'Security.' },
        ),
        transport: s.section(
          { params: {} },
          {
            description: 'TLS.',
            argument: 'protocol',
            unsupported: '<transport> is not supported yet',
          },
        ),
      },
    },
  },
  {
    kind: 'filter',
    name: 'record_transformer',
    shape: {
      params: {
        remove_keys: s.array({ description: 'Keys.' }),
        renew_record: s.bool({ description: 'Renew.', default: false }),
        enable_ruby: s.bool({ description: 'Ruby.', unsupported: 'Sluice evaluates no Ruby' }),
      },
      sections: {
        record: s.section({ params: {} }, { description: 'Fields.', open: true }),
      },
    },
  },
  {
    kind: 'filter',
    name: 'parser',
    shape: {
      params: { key_name: s.string({ description: 'Key.', required: true }) },
      sections: { parse: s.plugin('parser', { description: 'Parser.', required: true }) },
    },
  },
  {
    kind: 'output',
    name: 'stdout',
    shape: {
      params: {},
      sections: {
        format: s.plugin('formatter', {
          description: 'Format.',
          defaultType: 'stdout',
          always: true,
        }),
      },
    },
  },
  {
    kind: 'output',
    name: 'copy',
    shape: {
      params: {
        copy_mode: s.enumeration(['no_copy', 'shallow', 'deep', 'marshal'], {
          description: 'Mode.',
          default: 'no_copy',
        }),
      },
      sections: {
        store: s.plugin('output', { description: 'Stores.', multi: true, argument: 'mode' }),
      },
    },
  },
  {
    kind: 'output',
    name: 'file',
    shape: {
      params: {
        path: s.string({ description: 'Path.', required: true }),
        headers: s.hash({ description: 'Headers.' }),
        ratio: s.float({ description: 'Ratio.', default: 0.5 }),
        pattern: s.regexp({ description: 'Pattern.' }),
        codes: s.integers({ description: 'Codes.', default: [503] }),
      },
      sections: {
        format: s.plugin('formatter', {
          description: 'Format.',
          defaultType: 'out_file',
          always: true,
        }),
        buffer: s.plugin('buffer', {
          description: 'Buffer.',
          argument: 'chunk_keys',
          defaultType: 'memory',
          always: true,
          defaults: { timekey: '1d', chunk_keys: ['time'] },
        }),
      },
    },
  },
  {
    kind: 'parser',
    name: 'json',
    shape: {
      params: {
        time_key: s.string({ description: 'Time.' }),
        time_format: s.string({ description: 'Format.' }),
        types: s.hash({ description: 'Types.' }),
        localtime: s.bool({ description: 'Local time.', default: true }),
      },
    },
  },
  {
    kind: 'parser',
    name: 'regexp',
    shape: { params: { expression: s.regexp({ description: 'Expression.', required: true }) } },
  },
  {
    kind: 'formatter',
    name: 'stdout',
    shape: { params: { output_type: s.string({ description: 'Type.', default: 'json' }) } },
  },
  {
    kind: 'formatter',
    name: 'out_file',
    shape: {
      params: {
        output_tag: s.bool({ description: 'Tag.', default: true }),
        utc: s.bool({ description: 'UTC.' }),
      },
    },
  },
  {
    kind: 'buffer',
    name: 'memory',
    aliases: ['mem'],
    shape: {
      params: {
        chunk_keys: s.array({ description: 'Keys.', default: [] }),
        timekey: s.time({ description: 'Slice.' }),
        timekey_use_utc: s.bool({ description: 'UTC.', default: false }),
        flush_at_shutdown: s.bool({ description: 'Flush.' }),
        flush_mode: s.enumeration(['default', 'lazy', 'interval', 'immediate'], {
          description: 'Mode.',
          default: 'default',
        }),
        chunk_limit_size: s.size({
          description: 'Limit.',
          default: 8 * 1024 * 1024,
          alias: 'buffer_chunk_limit',
        }),
      },
    },
  },
]

export const testRegistry = createRegistry(plugins)
