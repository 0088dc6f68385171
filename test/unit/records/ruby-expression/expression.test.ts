import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../../src/core/errors.ts'
import { EventTime, MsgFloat, type MsgValue, RawString } from '../../../../src/core/value.ts'
import { Encoder } from '../../../../src/msgpack/encode.ts'
import {
  compileExpression,
  ExpressionError,
  Scope,
  type World,
} from '../../../../src/records/ruby-expression/index.ts'
import { recordOf } from '../../../support/batches.ts'

const world: World = {
  hostname: 'web1.example.com',
  env: { NAME: 'value', EMPTY: '' },
  clock: { wallMs: () => 1_700_000_100_250, localOffsetSeconds: () => 0 },
  timeIsTime: true,
  tagRanges: true,
}

const record = {
  total: 100,
  count: 8,
  zero: 0,
  price: 2.5,
  whole: new MsgFloat(4),
  big: 2n ** 63n,
  level: 'Warn',
  log: '  GET /a/b?x=1 200 \n',
  json: '{"a":[1,{"b":"deep"}]}',
  num: '42abc',
  empty: '',
  yes: true,
  none: null,
  list: [3, 1, 2, 1],
  k8s: { labels: { app: 'shop' }, pod: 'p-1' },
  raw: new RawString(Uint8Array.of(0x61, 0xff)),
  emoji: 'a😀b',
}

function scopeOf(fields: object = record, tag = 'docker.web.prod'): Scope {
  const encoder = new Encoder()
  encoder.entry(new EventTime(1_700_000_000, 123_456_789))
  const recordAt = encoder.length
  encoder.value(recordOf(fields))
  const scope = new Scope()
  scope.setTag(tag)
  scope.setEvent(encoder.copy(), 0, recordAt)
  return scope
}

const evaluate = (written: string, options: Partial<World> = {}, asText = false): MsgValue =>
  compileExpression(written, { world: { ...world, ...options }, asText, position: undefined })(
    scopeOf(),
  )
const plain = (value: unknown): unknown => {
  if (value instanceof MsgFloat) return `float ${value.value}`
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]))
  return Array.isArray(value) ? value.map(plain) : value
}

describe('an expression gives', () => {
  it.each<[string, unknown]>([
    // what the record has
    ['record["total"]', 100],
    ["record['total']", 100],
    ['record["missing"]', null],
    ['record["k8s"]["labels"]["app"]', 'shop'],
    ['record.dig("k8s", "labels", "app")', 'shop'],
    ['record.dig("k8s", "missing", "app")', null],
    ['record.fetch("missing", "default")', 'default'],
    ['record.key?("total") && !record.has_key?("x")', true],
    ['record["list"][0]', 3],
    ['record["list"][-1]', 1],
    ['record["list"][1..-1].join("-")', '1-2-1'],
    ['record["list"][0...2]', [3, 1]],
    ['record["k8s"].keys', ['labels', 'pod']],
    ['record["k8s"].merge({"a" => 1, b: 2})', { labels: { app: 'shop' }, pod: 'p-1', a: 1, b: 2 }],
    ['record["k8s"].slice("pod")', { pod: 'p-1' }],
    ['record["k8s"].except("pod").size', 1],
    // the tag and the world
    ['tag', 'docker.web.prod'],
    ['tag_parts[1]', 'web'],
    ['tag_parts.last', 'prod'],
    ['tag_parts[1..-1].join(".")', 'web.prod'],
    ['tag_prefix[1]', 'docker.web'],
    ['tag_suffix[1]', 'web.prod'],
    ["tag.gsub('.', '-')", 'docker-web-prod'],
    ["tag.split('.').first.upcase", 'DOCKER'],
    ['hostname', 'web1.example.com'],
    ['Socket.gethostname.split(".")[0]', 'web1'],
    ['ENV["NAME"]', 'value'],
    ["ENV['NONE'] || 'other'", 'other'],
    ['ENV.fetch("NONE", "default")', 'default'],
    // times
    ["time.strftime('%Y-%m-%dT%H:%M:%S%z')", '2023-11-14T22:13:20+0000'],
    ['time.utc.iso8601(3)', '2023-11-14T22:13:20.123Z'],
    ['time.localtime("+09:00").strftime("%H:%M %z")', '07:13 +0900'],
    ['time.to_i', 1_700_000_000],
    ['(time.to_f * 1000).to_i', 1_700_000_000_123],
    ['time.nsec', 123_456_789],
    [
      '[time.year, time.month, time.day, time.hour, time.min, time.sec]',
      [2023, 11, 14, 22, 13, 20],
    ],
    ['time', '2023-11-14 22:13:20 +0000'],
    ['Time.at(0).utc.year', 1970],
    ['Time.now.to_i - time.to_i', 100],
    // numbers
    ['record["total"] / record["count"]', 12],
    ['-7 / 2', -4],
    ['-7 % 3', 2],
    ['record["total"].to_f / record["count"]', 12.5],
    ['record["total"] + 1.5', 101.5],
    ['2 ** 10 - 3 * (4 + 1)', 1009],
    ['record["big"] + 0', 2n ** 63n],
    ['record["price"] * 2', 'float 5'],
    ['record["price"].round', 3],
    ['(-2.5).round', -3],
    ['1.005.round(2)', 1.01],
    ['12345.6789.round(2)', 12345.68],
    ['1234.round(-2)', 1200],
    ['record["num"].to_i + 1', 43],
    ['record["num"].to_f', 'float 42'],
    ['"ff".to_i(16)', 255],
    ['"0x1f".hex', 31],
    ['255.to_s(16)', 'ff'],
    ['record["none"].to_i', 0],
    ['Integer("12") + Float("1.5")', 13.5],
    ['1_000', 1000],
    ['10.fdiv(4)', 2.5],
    // texts
    ['record["level"].downcase', 'warn'],
    ['record["log"].strip', 'GET /a/b?x=1 200'],
    ['record["log"].strip.split(" ")[1]', '/a/b?x=1'],
    ['record["log"].strip.split(" ", 2)', ['GET', '/a/b?x=1 200']],
    ['record["log"].split', ['GET', '/a/b?x=1', '200']],
    ['record["log"].chomp.length', 19],
    ['record["level"] + "!"', 'Warn!'],
    ['"ab" * 3', 'ababab'],
    ['record["level"][0]', 'W'],
    ['record["level"][1..2]', 'ar'],
    ['record["level"][0, 2]', 'Wa'],
    ['record["emoji"].length', 3],
    ['record["emoji"][1]', '😀'],
    ['record["emoji"].reverse', 'b😀a'],
    ['record["level"].start_with?("Wa", "x") ? "w" : "o"', 'w'],
    ['record["level"].end_with?("x")', false],
    ['record["level"].include?("ar")', true],
    ['record["level"].sub("W", "w").capitalize', 'Warn'],
    ['record["level"].tr("a-r", "A-R")', 'WARN'],
    ['record["level"].delete("a-r")', 'W'],
    ['record["level"].rjust(6, "*")', '**Warn'],
    ['"a.b".delete_prefix("a.")', 'b'],
    ['"a=b=c".partition("=")', ['a', '=', 'b=c']],
    ['"x".to_json + [1, nil, "é"].to_json', '"x"[1,null,"é"]'],
    ['record["k8s"].to_json', '{"labels":{"app":"shop"},"pod":"p-1"}'],
    ['JSON.parse(record["json"])["a"][1]["b"]', 'deep'],
    ['record["list"].to_s', '[3, 1, 2, 1]'],
    ['"a\\tb\\u0041\\\\" + \'c\\td\'', 'a\tbA\\c\\td'],
    ['"<#{record["level"]}-#{1 + 1}>"', '<Warn-2>'],
    ['record["raw"].upcase', 'A?'],
    // expressions between slashes
    ['record["log"] =~ /GET/', 2],
    ['record["log"] =~ /POST/', null],
    ['record["missing"] =~ /POST/', null],
    ['record["log"] =~ /GET (\\S+)\\s+(\\d+)/ ? $2.to_i : 0', 200],
    ['record["log"] !~ /POST/', true],
    ['record["log"][/GET (\\S+)/, 1]', '/a/b?x=1'],
    ['record["log"].match(/(?<verb>[A-Z]+)/)["verb"]', 'GET'],
    ['record["log"].match?(/\\d{3}/)', true],
    ['record["log"].match(/zzz/)&.captures', null],
    ['record["log"].gsub(/\\s+/, "_")', '_GET_/a/b?x=1_200_'],
    ['"2024-01-02".gsub(/(\\d+)-(\\d+)/, "\\\\2/\\\\1")', '01/2024-02'],
    ['"a1b22".scan(/\\d+/)', ['1', '22']],
    [
      '"a1b22".scan(/([a-z])(\\d)/)',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['"aXbX".sub(/x/i, "-")', 'a-bX'],
    ['"a,b;c".split(/[,;]/)', ['a', 'b', 'c']],
    ['"cat".gsub(/[ct]/, {"c" => "b", "t" => "d"})', 'bad'],
    // what is so and what is not
    ['record["none"] || "default"', 'default'],
    ['record["empty"].empty? ? nil : 1', null],
    ['record["none"].nil?', true],
    ['record["none"]&.upcase', null],
    ['record["zero"] ? "0 is true" : "no"', '0 is true'],
    ['record["yes"] && record["level"]', 'Warn'],
    ['record["total"] > 99 && record["total"] <= 100', true],
    ['record["level"] == "Warn" ? 1 : 2', 1],
    ['record["level"] != "Warn"', false],
    ['1 == 1.0', true],
    ['"b" <=> "a"', 1],
    ['not true', false],
    ['"x" if record["yes"]', 'x'],
    ['"x" unless record["yes"]', null],
    ['record["total"].is_a?(Integer) && record["price"].is_a?(Numeric)', true],
    ['record["level"].is_a?(String)', true],
    ['["error", "warn"].include?(record["level"].downcase)', true],
    ['{"Warn" => 4, "Error" => 3}[record["level"]]', 4],
    ['{"Warn" => 4}.fetch("x", 7)', 7],
    // lists
    ['record["list"].uniq.sort.reverse', [3, 2, 1]],
    ['record["list"].max - record["list"].min', 2],
    ['record["list"].sum', 7],
    ['([1, nil, [2]] + [3]).compact.flatten.join(",")', '1,2,3'],
    ['record["list"].first(2)', [3, 1]],
    ['nil.to_a.empty?', true],
  ])('%s', (written, wanted) => {
    expect(plain(evaluate(`\${${written}}`))).toEqual(wanted)
  })
})

describe('a value', () => {
  it.each<[string, unknown]>([
    ['plain', 'plain'],
    ['${record["total"]}', 100],
    ['n=${record["total"]}!', 'n=100!'],
    ['${record["total"]} ${record["count"]}', '100 8'],
    ['${record["none"]}${record["yes"]}', 'true'],
    ['a\\nb \\"c\\"', 'a\nb "c"'],
    ['"${tag_parts[0]}"', '"docker"'],
    ['${"}"}', '}'],
    ['x${"}" + "{"}', 'x}{'],
    ['cost $5 #1', 'cost $5 #1'],
  ])('%s', (written, wanted) => {
    expect(evaluate(written)).toEqual(wanted)
  })

  it('that is to be a text is one', () => {
    expect(evaluate('${record["total"]}', {}, true)).toBe('100')
  })

  it('keeps bytes that are not UTF-8', () => {
    expect(evaluate('${record["raw"]}')).toEqual(record.raw)
    const made = evaluate('<${record["raw"]}>')
    expect(made instanceof RawString && [...made.bytes]).toEqual([0x3c, 0x61, 0xff, 0x3e])
  })

  it('knows the time as the event has it, in record_modifier', () => {
    const options = { timeIsTime: false }
    expect(evaluate('${time}', options)).toEqual(new EventTime(1_700_000_000, 123_456_789))
    expect(evaluate('${Time.at(time).utc.year}', options)).toBe(2023)
    expect(evaluate('${time.to_i}', options)).toBe(1_700_000_000)
    expect(evaluate('at ${time}', options)).toBe('at 1700000000')
  })

  it('sees fields that were set before', () => {
    const scope = scopeOf({ a: 1 })
    scope.changed.set('a', 2)
    scope.changed.set('b', 'new')
    const run = (text: string) =>
      compileExpression(text, { world, asText: false, position: undefined })(scope)
    expect(run('${record["a"]}')).toBe(2)
    expect(run('${record.keys.join(",")}')).toBe('a,b')
  })
})

describe('fails for an event', () => {
  it.each([
    ['record["none"].upcase', "undefined method 'upcase' for nil"],
    ['record["missing"]["x"]', "undefined method '[]' for nil"],
    ['record["level"] + 1', 'no implicit conversion of Integer into String'],
    ['1 + record["level"]', "String can't be coerced into Integer"],
    ['record["total"] / record["zero"]', 'divided by 0'],
    ['record["big"] * 2', 'beyond 64 bits'],
    ['10 ** 100', 'beyond 64 bits'],
    ['record["none"] > 1', "undefined method '>' for nil"],
    ['"a" < 1', 'comparison of String with Integer failed'],
    ['Integer(record["num"])', 'invalid value for Integer()'],
    ['record.dig("level", "x")', 'no dig'],
    ['JSON.parse(record["num"])', 'unexpected'],
    ['/x/', 'a Regexp cannot stand in a record'],
    ['"x" * 100000000', 'too long'],
    ['("x" * 4000000).gsub("x", "yy")', 'too long'],
    ['("x" * 100000).gsub(/x/, "y" * 100)', 'too long'],
    ['"x".rjust(100000000)', 'too long'],
    ['record["level"].encode("EUC-JP")', 'UTF-8'],
  ])('%s', (written, message) => {
    const run = () => evaluate(`\${${written}}`)
    expect(run).toThrow(ExpressionError)
    expect(run).toThrow(message)
  })
})

describe('is refused at start', () => {
  it.each([
    ['system("ls")', 'system'],
    ['`ls`', 'not understood'],
    ['File.read("/etc/passwd")', 'File'],
    ['record.each { |k, v| }', 'each'],
    ['record["a"].map(&:to_s)', 'map'],
    ['record.select', 'select'],
    ['record["x"] = 1', 'nothing can be assigned'],
    ['record["x"] << 1', 'nothing can be assigned'],
    ['record["x"] += 1', 'nothing can be assigned'],
    ['a = 1', 'known here'],
    ['tag.instance_eval("1")', 'instance_eval'],
    ['tag.upcas', 'upcas'],
    ['tag.gsub("a")', 'does not take 1 arguments'],
    ['record["x"', 'expected'],
    ['1 +', 'not understood'],
    ['"open', 'does not end'],
    ['/(/', 'invalid regexp'],
    ['/a#{tag}/', 'plain expressions'],
    ['1; 2', 'not understood'],
    ['$stdout', 'global variables'],
    ['Socket.tcp("x")', 'Socket.gethostname'],
    ['Time.parse("x")', 'Time.at'],
    ['record["list"].join(",") { }', 'blocks'],
    ['('.repeat(1000), 'nested too deep'],
    ['!'.repeat(1000), 'nested too deep'],
    [`tag${'.to_s'.repeat(1000)}`, 'too long a chain'],
    ['x'.repeat(20_000), 'too long'],
  ])('%s', (written, message) => {
    const run = () => evaluate(`\${${written}}`)
    expect(run).toThrow(ConfigError)
    expect(run).toThrow(message)
  })

  it('with the place in the file and a way out', () => {
    const text = '    level ${record["level"].upcas}'
    const position = { file: 'f.conf', line: 7, column: 11, length: 24, text }
    const written = '${record["level"].upcas}'
    let error: unknown
    try {
      compileExpression(written, { world, asText: false, position })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({
      position: { line: 7, column: text.indexOf('upcas') + 1, length: 5 },
      hint: 'did you mean `upcase`?',
    })
  })
})
