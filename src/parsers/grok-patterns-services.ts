/**
 * Patterns of the access logs of Amazon's S3, ELB and CloudFront (docs.aws.amazon.com), of Bacula's messages, of Exim's main
 * log (exim.org, "Log files"), of Maven's versions and of MCollective.
 *
 * After the grok patterns of Logstash (github.com/logstash-plugins/logstash-patterns-core, Apache License 2.0, copyright
 * Elastic and contributors), as fluent-plugin-grok-parser has them: names and fields are theirs, and many expressions follow them.
 */
import {
  anyOf,
  type FieldNames,
  type GrokSeries,
  orDash,
  type Patterns,
  renameFields,
} from './grok-names.ts'

const s3Head = '%{WORD:owner} %{NOTSPACE:bucket} \\[%{HTTPDATE:timestamp}\\] '

const awsLegacy: Patterns = {
  S3_REQUEST_LINE:
    '(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})',
  S3_ACCESS_LOG: `${s3Head}%{IP:clientip} %{NOTSPACE:requester} %{NOTSPACE:request_id} %{NOTSPACE:operation} %{NOTSPACE:key} (?:-|"%{S3_REQUEST_LINE}") ${['INT:response:integer', 'NOTSPACE:error_code', 'INT:bytes:integer', 'INT:object_size:integer', 'INT:request_time_ms:integer', 'INT:turnaround_time_ms:integer', 'QS:referrer'].map(orDash).join(' ')} (?:-|"?%{QS:agent}"?) ${orDash('NOTSPACE:version_id')}`,
  ELB_URIPATHPARAM: '%{URIPATH:path}(?:%{URIPARAM:params})?',
  ELB_URI:
    '%{URIPROTO:proto}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST:urihost})?(?:%{ELB_URIPATHPARAM})?',
  ELB_REQUEST_LINE:
    '(?:%{WORD:verb} %{ELB_URI:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})',
  ELB_ACCESS_LOG:
    '%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:elb} %{IP:clientip}:%{INT:clientport:integer} (?:-|%{IP:backendip}:?:%{INT:backendport:integer}) %{NUMBER:request_processing_time:float} %{NUMBER:backend_processing_time:float} %{NUMBER:response_processing_time:float} %{INT:response:integer} (?:-|%{INT:backend_response:integer}) %{INT:received_bytes:integer} %{INT:bytes:integer} "%{ELB_REQUEST_LINE}"',
  CLOUDFRONT_ACCESS_LOG: cloudfront(
    'WORD:x_edge_location -NUMBER:sc_bytes:integer IPORHOST:clientip WORD:cs_method HOSTNAME:cs_host NOTSPACE:cs_uri_stem NUMBER:sc_status:integer referrer agent cs_uri_query cookies WORD:x_edge_result_type NOTSPACE:x_edge_request_id HOSTNAME:x_host_header URIPROTO:cs_protocol INT:cs_bytes:integer time_taken:float x_forwarded_for ssl_protocol ssl_cipher x_edge_response_result_type',
  ),
}

/** Columns parted by tabs; one with a dash before may be a dash, one without a kind is anything but a tab. */
function cloudfront(columns: string): string {
  const column = (spec: string) => {
    if (spec.startsWith('-')) return orDash(spec.slice(1))
    return /^[A-Z]/.test(spec) ? `%{${spec}}` : `%{CLOUDFRONT_COLUMN:${spec}}`
  }
  const date = '(?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY}\\t%{TIME})'
  return [date, ...columns.split(' ').map(column)]
    .join('\\t')
    .replaceAll('CLOUDFRONT_COLUMN', 'CLOUDFRONT_DATA')
}

const backend = 'aws.elb.backend'
const awsEcs: Patterns = {
  S3_REQUEST_LINE:
    '%{WORD:http.request.method} %{NOTSPACE:url.original}(?: HTTP/%{NUMBER:http.version})?',
  S3_ACCESS_LOG: `${s3Head.replace('WORD:owner', 'WORD:aws.s3access.bucket_owner').replace(':bucket}', ':aws.s3access.bucket}')}${orDash('IP:client.ip')} ${orDash('NOTSPACE:client.user.id')} %{NOTSPACE:aws.s3access.request_id} %{NOTSPACE:aws.s3access.operation} ${orDash('NOTSPACE:aws.s3access.key')} (?:-|"%{S3_REQUEST_LINE:aws.s3access.request_uri}") ${['INT:http.response.status_code:integer', 'NOTSPACE:aws.s3access.error_code', 'INT:aws.s3access.bytes_sent:integer', 'INT:aws.s3access.object_size:integer', 'INT:aws.s3access.total_time:integer', 'INT:aws.s3access.turn_around_time:integer'].map(orDash).join(' ')} "${orDash('DATA:http.request.referrer')}" "${orDash('DATA:user_agent.original')}" ${orDash('NOTSPACE:aws.s3access.version_id')}(?: ${['aws.s3access.host_id', 'aws.s3access.signature_version', 'tls.cipher', 'aws.s3access.authentication_type', 'aws.s3access.host_header', 'aws.s3access.tls_version'].map((name) => orDash(`NOTSPACE:${name}`)).join(' ')})?`,
  ELB_URIHOST: '%{IPORHOST:url.domain}(?::%{POSINT:url.port:integer})?',
  ELB_URIPATHQUERY: '%{URIPATH:url.path}(?:\\?%{URIQUERY:url.query})?',
  ELB_URIPATHPARAM: '%{ELB_URIPATHQUERY}',
  ELB_URI:
    '%{URIPROTO:url.scheme}://(?:%{USER:url.username}(?::[^@]*)?@)?(?:%{ELB_URIHOST})?(?:%{ELB_URIPATHQUERY})?',
  ELB_REQUEST_LINE:
    '%{WORD:http.request.method} %{ELB_URI:url.original}(?: HTTP/%{NUMBER:http.version})?',
  ELB_V1_HTTP_LOG: `%{TIMESTAMP_ISO8601:timestamp} %{NOTSPACE:aws.elb.name} %{IP:source.ip}:%{INT:source.port:integer} (?:-|%{IP:${backend}.ip}:%{INT:${backend}.port:integer}) ${['request', 'backend', 'response'].map((part) => `(?:-1|%{NUMBER:aws.elb.${part}_processing_time.sec:float})`).join(' ')} %{INT:http.response.status_code:integer} ${orDash(`INT:${backend}.http.response.status_code:integer`)} %{INT:http.request.body.bytes:integer} %{INT:http.response.body.bytes:integer} "%{ELB_REQUEST_LINE}"(?: "${orDash('DATA:user_agent.original')}" ${orDash('NOTSPACE:tls.cipher')} ${orDash('NOTSPACE:aws.elb.ssl_protocol')})?`,
  ELB_ACCESS_LOG: '%{ELB_V1_HTTP_LOG}',
  CLOUDFRONT_ACCESS_LOG: `${cloudfront(
    'WORD:aws.cloudfront.x_edge_location -INT:destination.bytes:integer IPORHOST:source.ip WORD:http.request.method HOSTNAME:url.domain NOTSPACE:url.path -INT:http.response.status_code:integer -CLOUDFRONT_COLUMN:http.request.referrer user_agent.original -CLOUDFRONT_COLUMN:url.query -CLOUDFRONT_COLUMN:aws.cloudfront.http.request.cookie WORD:aws.cloudfront.x_edge_result_type NOTSPACE:aws.cloudfront.x_edge_request_id HOSTNAME:aws.cloudfront.http.request.host URIPROTO:network.protocol -INT:source.bytes:integer NUMBER:aws.cloudfront.time_taken:float -IP:network.forwarded_ip -CLOUDFRONT_COLUMN:aws.cloudfront.ssl_protocol -NOTSPACE:tls.cipher WORD:aws.cloudfront.x_edge_response_result_type',
  ).replace(
    '(?:-|%{INT:http',
    '(?:000|%{INT:http',
  )}(?:\\t(?:-|HTTP/%{NUMBER:http.version})\\t${['CLOUDFRONT_DATA:aws.cloudfront.fle_status', 'CLOUDFRONT_DATA:aws.cloudfront.fle_encrypted_fields', 'INT:source.port:integer', 'NUMBER:aws.cloudfront.time_to_first_byte:float', 'CLOUDFRONT_DATA:aws.cloudfront.x_edge_detailed_result_type', 'NOTSPACE:http.request.mime_type', 'INT:aws.cloudfront.http.request.size:integer', 'INT:aws.cloudfront.http.request.range.start:integer', 'INT:aws.cloudfront.http.request.range.end:integer'].map(orDash).join('\\t')})?`,
}

const volume = '"?%{BACULA_VOLUME:volume}"?'
const onDevice = 'device "%{BACULA_DEVICE:device}" \\(%{BACULA_DEVICEPATH:device_path}\\)'
const at = 'at %{BACULA_TIMESTAMP:message_time}\\.?'
const daemon =
  '(?:Client: %{BACULA_HOST:client}|Storage daemon) on %{IPORHOST:peer}:%{POSINT:peer_port}\\. ERR=%{GREEDYDATA:berror}'

/** Each kind of message; BACULA_LOGLINE tries them in this order. */
const baculaMessages: Patterns = {
  MAX_CAPACITY: `User defined maximum volume capacity %{BACULA_CAPACITY:max_capacity} exceeded on ${onDevice}\\.?`,
  END_VOLUME: `End of medium on Volume ${volume} Bytes=%{BACULA_CAPACITY:volume_bytes} Blocks=%{BACULA_CAPACITY:volume_blocks} ${at}`,
  NEW_VOLUME: `Created new Volume ${volume} in catalog\\.`,
  NEW_LABEL: `Labeled new Volume ${volume} on (?:file )?${onDevice}\\.?`,
  WROTE_LABEL: `Wrote label to prelabeled Volume ${volume} on (?:file )?${onDevice}`,
  NEW_MOUNT: `New volume ${volume} mounted on ${onDevice} ${at}`,
  NOOPEN: '\\s*Cannot open %{DATA}: ERR=%{GREEDYDATA:berror}',
  NOOPENDIR: '\\s*Could not open directory "?%{DATA:file_path}"?: ERR=%{GREEDYDATA:berror}',
  NOSTAT: '\\s*Could not stat %{DATA:file_path}: ERR=%{GREEDYDATA:berror}',
  NOJOBS: `There are no more Jobs associated with Volume ${volume}\\. Marking it purged\\.`,
  ALL_RECORDS_PRUNED: `.*?All records pruned from Volume ${volume}; marking it "Purged"`,
  BEGIN_PRUNE_JOBS: 'Begin pruning Jobs older than %{INT} months? %{INT} days? ?\\.',
  BEGIN_PRUNE_FILES: 'Begin pruning Files\\.',
  PRUNED_JOBS: 'Pruned %{INT} Jobs? for client %{BACULA_HOST:client} from catalog\\.',
  PRUNED_FILES: 'Pruned Files from %{INT} Jobs? for client %{BACULA_HOST:client} from catalog\\.',
  ENDPRUNE: 'End auto prune\\.',
  STARTJOB: 'Start Backup JobId %{INT}, Job=%{BACULA_JOB:job}',
  STARTRESTORE: 'Start Restore Job %{BACULA_JOB:job}',
  USEDEVICE: 'Using Device "%{BACULA_DEVICE:device}"',
  DIFF_FS:
    '\\s*%{UNIXPATH} is a different filesystem\\. Will not descend from %{UNIXPATH} into it\\.',
  JOBEND:
    'Job write elapsed time = %{DATA:elapsed}, Transfer rate = %{NUMBER} [KMG]? ?Bytes/second',
  NOPRUNE_JOBS: 'No Jobs found to prune\\.',
  NOPRUNE_FILES: 'No Files found to prune\\.',
  VOLUME_PREVWRITTEN: `Volume ${volume} previously written, moving to end of data\\.`,
  READYAPPEND: `Ready to append to end of Volume ${volume} size=%{INT:volume_size}`,
  CANCELLING: 'Cancelling duplicate JobId=%{INT:other_job}\\.',
  MARKCANCEL: 'JobId %{INT:marked_job}, Job %{BACULA_JOB:job} marked to be canceled\\.',
  CLIENT_RBJ: 'shell command: run ClientRunBeforeJob "%{GREEDYDATA:runjob}"',
  VSS: '(?:Generate )?VSS (?:Writer)?',
  MAXSTART: 'Fatal [eE]rror: Job canceled because max start delay time exceeded\\.',
  DUPLICATE:
    'Fatal [eE]rror: JobId %{INT:duplicate} already running\\. Duplicate job not allowed\\.',
  NOJOBSTAT: 'Fatal [eE]rror: No Job status returned from FD\\.',
  FATAL_CONN: `Fatal [eE]rror: bsock\\.c:\\d+ Unable to connect to ${daemon}`,
  NO_CONNECT: `Warning: bsock\\.c:\\d+ Could not connect to ${daemon}`,
  NO_AUTH:
    'Fatal [eE]rror: Unable to authenticate with File daemon at "?%{IPORHOST:peer}(?::%{POSINT:peer_port})?"?\\. Possible causes:',
  NOSUIT: 'No prior or suitable Full backup found in catalog\\. Doing FULL backup\\.',
  JOB: '(?:Error: )?Bacula %{BACULA_HOST} %{BACULA_VERSION} \\(%{BACULA_VERSION}\\):',
  NOPRIOR: 'No prior Full backup Job record found\\.',
}

const baculaNames: FieldNames = {
  bts: 'timestamp',
  hostname: 'host.hostname',
  jobid: 'bacula.job.id',
  volume: 'bacula.volume.name',
  device: 'bacula.volume.device',
  device_path: 'bacula.volume.path',
  max_capacity: 'bacula.volume.max_capacity',
  volume_bytes: 'bacula.volume.bytes',
  volume_blocks: 'bacula.volume.blocks',
  volume_size: 'bacula.volume.size:integer',
  message_time: 'bacula.timestamp',
  file_path: 'file.path',
  berror: 'error.message',
  client: 'bacula.client.name',
  job: 'bacula.job.name',
  elapsed: 'bacula.job.elapsed_time',
  other_job: 'bacula.job.other_id',
  marked_job: 'bacula.job.id',
  duplicate: 'bacula.job.other_id',
  runjob: 'bacula.job.client_run_before_command',
  peer: 'client.address',
  peer_port: 'client.port:integer',
}

/** What only the other series takes. */
const baculaUnnamed: FieldNames = Object.fromEntries(
  'device_path max_capacity volume_bytes volume_blocks volume_size message_time file_path other_job marked_job peer peer_port'
    .split(' ')
    .map((name) => [name, '']),
)

function baculaPatterns(series: GrokSeries): Patterns {
  const messages = Object.entries(baculaMessages).map(([name, text]) => [
    `BACULA_LOG_${name}`,
    text,
  ])
  const kinds = messages.map(([name]) => name as string)
  const line = `%{BACULA_TIMESTAMP:bts} %{BACULA_HOST:hostname}(?: JobId %{INT:jobid})?:? ${anyOf(kinds)}`
  const patterns: Patterns = {
    BACULA_TIMESTAMP: '%{MONTHDAY}-%{MONTH}(?:-%{YEAR})? %{HOUR}:%{MINUTE}',
    BACULA_HOST: series === 'legacy' ? '[a-zA-Z0-9-]+' : '%{HOSTNAME}',
    BACULA_VOLUME: '%{USER}',
    BACULA_DEVICE: '%{USER}',
    BACULA_DEVICEPATH: '%{UNIXPATH}',
    BACULA_CAPACITY: '\\d+(?:,\\d{3})*',
    BACULA_VERSION: '%{USER}',
    BACULA_JOB: '%{USER}',
    ...Object.fromEntries(messages),
    ...(series === 'legacy'
      ? { BACULA_LOGLINE: line }
      : { BACULA_LOG: line, BACULA_LOGLINE: '%{BACULA_LOG}' }),
  }
  return renamed(patterns, series === 'legacy' ? baculaUnnamed : baculaNames)
}

function renamed(patterns: Patterns, names: FieldNames): Patterns {
  const entries = Object.entries(patterns)
  return Object.fromEntries(entries.map(([name, text]) => [name, renameFields(text, names)]))
}

const eximNames: FieldNames = {
  pid: 'process.pid:integer',
  remote_hostname: 'source.address',
  remote_heloname: 'exim.log.remote_address',
  remote_host: 'source.ip',
  remote_port: 'source.port:integer',
  exim_interface: 'destination.ip',
  exim_interface_port: 'destination.port:integer',
  protocol: 'network.protocol',
  exim_msg_size: 'exim.log.message.size:integer',
  exim_header_id: 'exim.log.header_id',
  exim_msgid: 'exim.log.message.id',
  exim_flags: 'exim.log.flags',
  exim_status: 'exim.log.status',
  exim_sender_email: 'exim.log.sender.email',
  exim_sender_original: 'exim.log.sender.original',
  exim_recipient_email: 'exim.log.recipient.email',
}

/** The letters before `=` are those of section "Summary of Fields in Log Lines". */
function eximPatterns(series: GrokSeries): Patterns {
  const legacy = series === 'legacy'
  const fields = 'REMOTE_HOST INTERFACE PROTOCOL MSG_SIZE HEADER_ID SUBJECT UNKNOWN_FIELD'
  const from = legacy ? '' : '(?: from <?%{DATA:exim_sender_original}>?)?'
  const patterns: Patterns = {
    EXIM_MSGID: '[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}',
    EXIM_FLAGS: '(?:<=|[-=*>]>|<>|\\*\\*|==)',
    EXIM_DATE: legacy
      ? '%{YEAR:exim_year}-%{MONTHNUM:exim_month}-%{MONTHDAY:exim_day} %{TIME:exim_time}'
      : '%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{TIME}',
    EXIM_PID: '\\[%{POSINT:pid}\\]',
    EXIM_QT: '(?:\\d+y)?(?:\\d+w)?(?:\\d+d)?(?:\\d+h)?(?:\\d+m)?(?:\\d+s)?',
    EXIM_EXCLUDE_TERMS:
      '(?:Message is frozen|(?:Start|End) queue run| Warning: | retry time not reached | no (?:IP address|host name) found for (?:IP address|host) | unexpected disconnection while reading SMTP command | no immediate delivery: |another process is handling this message)',
    EXIM_REMOTE_HOST:
      'H=(?:%{NOTSPACE:remote_hostname} )?(?:\\(%{NOTSPACE:remote_heloname}\\) )?\\[%{IP:remote_host}\\](?::%{POSINT:remote_port})?',
    EXIM_INTERFACE: legacy
      ? 'I=\\[%{IP:exim_interface}\\](?::%{NUMBER:exim_interface_port})'
      : 'I=\\[%{IP:exim_interface}\\](?::%{INT:exim_interface_port})',
    EXIM_PROTOCOL: 'P=%{NOTSPACE:protocol}',
    EXIM_MSG_SIZE: 'S=%{NUMBER:exim_msg_size}',
    EXIM_HEADER_ID: 'id=%{NOTSPACE:exim_header_id}',
    EXIM_SUBJECT: legacy
      ? 'T=%{QS:exim_subject}'
      : 'T="%{EXIM_QUOTED_CONTENT:exim.log.message.subject}"',
    EXIM_UNKNOWN_FIELD: '[A-Za-z0-9]{1,4}=(?:%{QUOTEDSTRING}|%{NOTSPACE})',
    EXIM_NAMED_FIELDS: `(?: ${anyOf(fields.split(' ').map((name) => `EXIM_${name}`))})*`,
    EXIM_MESSAGE_ARRIVAL: `%{EXIM_DATE:timestamp} (?:%{EXIM_PID} )?%{EXIM_MSGID:exim_msgid} %{EXIM_ARRIVAL_FLAG:exim_flags} (?:%{EXIM_ARRIVAL_STATUS:exim_status})?%{EMAILADDRESS:exim_sender_email}%{EXIM_NAMED_FIELDS}(?:${from} for %{EMAILADDRESS:exim_recipient_email})?`,
    EXIM_ARRIVAL_FLAG: '<=',
    EXIM_ARRIVAL_STATUS: '[a-z:] ',
    EXIM: '%{EXIM_MESSAGE_ARRIVAL}',
  }
  if (legacy) return patterns
  return renamed({ ...patterns, EXIM_QUOTED_CONTENT: '(?:\\\\.|[^\\\\"])*' }, eximNames)
}

/** Those of the services above, as strings. */
export function servicePatterns(series: GrokSeries): Patterns {
  const legacy = series === 'legacy'
  const pid = legacy ? 'pid' : 'process.pid:integer'
  return {
    CLOUDFRONT_DATA: '[^\\t]*',
    ...(legacy ? awsLegacy : awsEcs),
    ...baculaPatterns(series),
    ...eximPatterns(series),
    MAVEN_VERSION: '(?:\\d+\\.){0,2}(?:\\*|\\d+)(?:[.-](?:RELEASE|SNAPSHOT))?',
    MCOLLECTIVE: `., \\[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:${pid}}\\]%{SPACE}%{LOGLEVEL:${legacy ? 'event_level' : 'log.level'}}`,
    MCOLLECTIVEAUDIT: '%{TIMESTAMP_ISO8601:timestamp}:',
  }
}
