import { deferredRegexp, type LineMatcher } from '../../text/regexp.ts'

/** Where a trace stands: a language's state, or `start` outside of any trace. */
export type State = string
export const startState: State = 'start'

/** In one of the states `from`, a line in which `pattern` is found leads to `to`. */
export interface Rule {
  readonly from: readonly State[]
  readonly pattern: LineMatcher
  readonly to: State
}

const rule = (from: State | readonly State[], pattern: string, to: State): Rule => ({
  from: typeof from === 'string' ? [from] : from,
  pattern: deferredRegexp(pattern),
  to,
})

/**
 * How stack traces look, line by line: the states and patterns of fluent-plugin-detect-exceptions 0.0.16 (Google, Apache
 * License 2.0, exception_detector.rb), which are what its users know.
 */
const java: readonly Rule[] = [
  rule(
    [startState, 'java_start_exception'],
    '/(?:Exception|Error|Throwable|V8 errors stack trace)[:\\r\\n]/',
    'java_after_exception',
  ),
  rule('java_after_exception', '/^[\\t ]*nested exception is:[\\t ]*/', 'java_start_exception'),
  rule('java_after_exception', '/^[\\r\\n]*$/', 'java_after_exception'),
  rule(['java_after_exception', 'java'], '/^[\\t ]+(?:eval )?at /', 'java'),
  rule(
    ['java_after_exception', 'java'],
    '/^[\\t ]+--- End of inner exception stack trace ---$/',
    'java',
  ),
  rule(
    ['java_after_exception', 'java'],
    '/^--- End of stack trace from previous location where exception was thrown ---$/',
    'java',
  ),
  rule(
    ['java_after_exception', 'java'],
    '/^[\\t ]*(?:Caused by|Suppressed):/',
    'java_after_exception',
  ),
  rule(
    ['java_after_exception', 'java'],
    '/^[\\t ]*... \\d+ (?:more|common frames omitted)/',
    'java',
  ),
]

const python: readonly Rule[] = [
  rule(startState, '/^Traceback \\(most recent call last\\):$/', 'python'),
  rule('python', '/^[\\t ]+File /', 'python_code'),
  rule('python_code', '/[^\\t ]/', 'python'),
  rule('python', '/^(?:[^\\s.():]+\\.)*[^\\s.():]+:/', startState),
]

const php: readonly Rule[] = [
  rule(
    startState,
    "/PHP (?:Notice|Parse error|Fatal error|Warning):|exception '[^']+' with message '/",
    'php_stack_begin',
  ),
  rule('php_stack_begin', '/^Stack trace:/', 'php_stack_frames'),
  rule('php_stack_frames', '/^#\\d/', 'php_stack_frames'),
  rule('php_stack_frames', '/^\\s+thrown in /', startState),
]

const go: readonly Rule[] = [
  rule(startState, '/\\bpanic: /', 'go_after_panic'),
  rule(startState, '/http: panic serving/', 'go_goroutine'),
  rule(['go_after_panic', 'go_after_signal', 'go_frame_line1'], '/^$/', 'go_goroutine'),
  rule('go_after_panic', '/^\\[signal /', 'go_after_signal'),
  rule('go_goroutine', '/^goroutine \\d+ \\[[^\\]]+\\]:$/', 'go_frame_line1'),
  rule('go_frame_line1', '/^(?:[^\\s.:]+\\.)*[^\\s.():]+\\(|^created by /', 'go_frame_line2'),
  rule('go_frame_line2', '/^\\s/', 'go_frame_line1'),
]

const ruby: readonly Rule[] = [
  rule(startState, '/Error \\(.*\\):$/', 'ruby_before_rails_trace'),
  rule('ruby_before_rails_trace', '/^  $/', 'ruby'),
  rule(['ruby_before_rails_trace', 'ruby'], '/^[\\t ]+.*?\\.rb:\\d+:in `/', 'ruby'),
]

/** First words of Dart's exceptions that are followed by their frames at once. */
const dartPlain = [
  ...['Instance of', 'Exception', 'Bad state', 'IntegerDivisionByZeroException'],
  ...['Invalid argument', 'RangeError', 'Assertion failed', 'Cannot instantiate'],
  ...['Reading static variable', 'UnimplementedError', 'Unsupported operation'],
  ...['Concurrent modification', 'Out of Memory', 'Stack Overflow'],
]
const dartFrame = '/^#\\d+\\s+.+?\\(.+?\\)$/'

const dart: readonly Rule[] = [
  rule(startState, '/^Unhandled exception:$/', 'dart_exc'),
  rule('dart_exc', `/^(?:${dartPlain.join('|')})/`, 'dart_stack'),
  rule('dart_exc', "/^'.+?':.+?$/", 'dart_type_err_line1'),
  rule('dart_type_err_line1', dartFrame, 'dart_stack'),
  rule('dart_type_err_line1', '/^.+?$/', 'dart_type_err_line2'),
  rule('dart_type_err_line2', '/^.*?\\^.*?$/', 'dart_type_err_line3'),
  rule('dart_type_err_line3', '/^$/', 'dart_type_err_line4'),
  rule('dart_type_err_line4', '/^$/', 'dart_stack'),
  rule('dart_exc', '/^FormatException/', 'dart_format_err_line1'),
  rule('dart_format_err_line1', dartFrame, 'dart_stack'),
  rule('dart_format_err_line1', '/^./', 'dart_format_err_line2'),
  rule('dart_format_err_line2', '/^.*?\\^/', 'dart_format_err_line3'),
  rule('dart_format_err_line3', '/^$/', 'dart_stack'),
  rule('dart_exc', '/^NoSuchMethodError:/', 'dart_method_err_line1'),
  rule('dart_method_err_line1', '/^Receiver:/', 'dart_method_err_line2'),
  rule('dart_method_err_line2', '/^Tried calling:/', 'dart_method_err_line3'),
  rule('dart_method_err_line3', '/^Found:/', 'dart_stack'),
  rule('dart_method_err_line3', dartFrame, 'dart_stack'),
  rule('dart_stack', dartFrame, 'dart_stack'),
  rule('dart_stack', '/^<asynchronous suspension>$/', 'dart_stack'),
]

const all: readonly Rule[] = [...java, ...python, ...php, ...go, ...ruby, ...dart]

/** By the names that `languages` takes, small or large. */
export const rulesByLanguage: ReadonlyMap<string, readonly Rule[]> = new Map([
  ['java', java],
  ['javascript', java],
  ['js', java],
  ['csharp', java],
  ['py', python],
  ['python', python],
  ['php', php],
  ['go', go],
  ['rb', ruby],
  ['ruby', ruby],
  ['dart', dart],
  ['all', all],
])
