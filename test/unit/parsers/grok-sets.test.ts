import { describe, expect, it } from 'vitest'
import { bindPlugin, createRegistry, parseConfig } from '../../../src/config/index.ts'
import { ParserError } from '../../../src/core/parser.ts'
import { grokParser } from '../../../src/parsers/grok.ts'
import type { GrokSeries } from '../../../src/parsers/grok-names.ts'
import {
  asa,
  bacula,
  close,
  conn,
  denied,
  elb,
  exim,
  netfilter,
  s3,
  shorewall,
  tabs,
  teardown,
} from '../../support/grok-lines.ts'
import { createTestContext } from '../../support/plugin-context.ts'

/** The fields that a pattern takes from a line; those that took nothing are not there. */
function fieldsOf(series: GrokSeries, pattern: string, line: string) {
  const text = `<parse>\n@type grok\ngrok_pattern_series ${series}\ngrok_pattern %{${pattern}}\n</parse>\n`
  const world = { env: {}, hostname: 'test', readFile: () => undefined, listDir: () => undefined }
  const { root } = parseConfig({ ...world, path: 'test.conf', text })
  const { bound } = bindPlugin('parser', root.children[0]!, createRegistry([grokParser]))
  const { context } = createTestContext()
  const [item] = grokParser.create(bound!.params as never, context).parse(line)
  if (item === undefined || item instanceof ParserError) throw new Error('no record')
  return Object.fromEntries([...item.record].filter(([, value]) => value !== null))
}

describe('lines in the legacy series', () => {
  it.each<[string, string, Record<string, unknown>]>([
    [
      'S3_ACCESS_LOG',
      s3,
      {
        owner: 'ownerid42',
        clientip: '192.0.2.3',
        key: 'a/b.txt',
        response: 200,
        bytes: 113,
        request_time_ms: 7,
        verb: 'GET',
        agent: '"curl/7.15.1"',
      },
    ],
    [
      'ELB_ACCESS_LOG',
      elb,
      {
        elb: 'my-lb',
        clientport: 2817,
        backendip: '10.0.0.1',
        backend_response: 200,
        bytes: 29,
        path: '/p',
        params: '?q=1',
        port: '80',
      },
    ],
    [
      'CLOUDFRONT_ACCESS_LOG',
      tabs(
        '2014-05-23 01:13:11 FRA2 182 192.0.2.10 GET d1.cloudfront.net /view.jpg 200 - Mozilla/4.0 - - RefreshHit MRVMF7KydI== d1.cloudfront.net http 274 0.001 - - - RefreshHit',
      ),
      {
        x_edge_location: 'FRA2',
        sc_bytes: 182,
        cs_uri_stem: '/view.jpg',
        sc_status: 200,
        referrer: '-',
        agent: 'Mozilla/4.0',
        x_edge_response_result_type: 'RefreshHit',
      },
    ],
    [
      'BACULA_LOGLINE',
      bacula,
      {
        bts: '09-Nov 15:55',
        hostname: 'bacula-dir',
        jobid: '241',
        job: 'BackupClient1.2009-11-09_15.55.00',
      },
    ],
    [
      'BACULA_LOGLINE',
      '09-Nov 15:55 sd JobId 2: Labeled new Volume "Vol-1" on device "File" (/var/b).',
      { volume: 'Vol-1', device: 'File' },
    ],
    [
      'BRO_CONN',
      tabs(
        '1541001600.58 CQcLzv2 10.0.0.5 50001 192.0.2.53 53 udp dns 0.034 62 141 SF - 0 Dd 1 90 1 169 (empty)',
      ),
      {
        uid: 'CQcLzv2',
        orig_p: '50001',
        service: 'dns',
        conn_state: 'SF',
        history: 'Dd',
        tunnel_parents: '(empty)',
      },
    ],
    [
      'BRO_HTTP',
      tabs(
        '1432555199.6 CMYz 10.0.0.5 1031 192.0.2.80 80 1 GET example.com /a - Mozilla 0 12 200 OK - - - (empty) - - - - - Fx text/plain',
      ),
      {
        method: 'GET',
        domain: 'example.com',
        uri: '/a',
        status_code: '200',
        resp_mime_types: 'text/plain',
      },
    ],
    [
      'BRO_FILES',
      tabs(
        '1362692527.0 FMnx 192.0.2.80 10.0.0.5 CXWv HTTP 0 MD5 text/plain - 0.000054 - F 4705 4705 0 0 F - 397168fd - - -',
      ),
      { fuid: 'FMnx', rx_hosts: '10.0.0.5', seen_bytes: '4705', md5: '397168fd' },
    ],
    [
      'EXIM',
      exim,
      {
        pid: '3301',
        exim_msgid: '1VqL2b-0006HX-TK',
        exim_flags: '<=',
        exim_sender_email: 'alice@example.org',
        remote_heloname: 'mail.example.org',
        remote_host: '192.0.2.17',
        remote_port: '1234',
        protocol: 'esmtp',
        exim_msg_size: '1024',
        exim_recipient_email: 'bob@example.com',
        exim_year: '2013',
      },
    ],
    [
      'CISCO_TAGGED_SYSLOG',
      '<166>Nov 10 2019 12:00:01 fw1: %ASA-6-302013: Built',
      { syslog_pri: '166', sysloghost: 'fw1', ciscotag: 'ASA-6-302013' },
    ],
    [
      'CISCOFW302013_302014_302015_302016',
      asa,
      {
        action: 'Built',
        direction: 'inbound',
        connection_id: '76118',
        src_interface: 'outside',
        src_port: '51562',
        dst_mapped_ip: '198.51.100.7',
      },
    ],
    [
      'CISCOFW302013_302014_302015_302016',
      teardown,
      { action: 'Teardown', duration: '0:00:30', bytes: '1420', reason: 'TCP FINs' },
    ],
    [
      'CISCOFW106023',
      denied,
      {
        action: 'Deny',
        protocol: 'tcp',
        src_ip: '203.0.113.9',
        dst_port: '22',
        policy_id: 'OUTSIDE_IN',
        hashcode2: '0xf8852875',
      },
    ],
    [
      'SHOREWALL',
      shorewall,
      {
        nf_host: 'myHost',
        nf_action1: 'net2fw',
        nf_action2: 'DROP',
        nf_in_interface: 'eth1',
        nf_src_mac: '00:16:3e:1f:0a:01',
        nf_src_ip: '203.0.113.4',
        nf_ttl: '49',
        nf_dst_port: '23',
      },
    ],
    [
      'SFW2',
      `Jan 29 15:24:02 host kernel: SFW2-INext-DROP-DEFLT ${netfilter}`,
      {
        nf_action: 'DROP-DEFLT',
        nf_in_interface: 'eth1',
        nf_dst_ip: '10.0.0.7',
        nf_src_port: '41529',
      },
    ],
    [
      'RT_FLOW1',
      close,
      {
        event: 'RT_FLOW_SESSION_CLOSE',
        'close-reason': 'session closed TCP FIN',
        'src-ip': '10.0.0.5',
        'nat-src-port': '1024',
        'policy-name': 'allow-web',
        'to-zone': 'untrust',
        sent: '1830',
        'elapsed-time': '3',
      },
    ],
    [
      'RT_FLOW3',
      'RT_FLOW_SESSION_DENY: session denied 10.0.0.5/1->192.0.2.1/23 junos-telnet 6(0) deny-all trust untrust UNKNOWN',
      { service: 'junos-telnet', 'protocol-id': '6', 'policy-name': 'deny-all' },
    ],
    ['MAVEN_VERSION:v', '1.2.3-SNAPSHOT', { v: '1.2.3-SNAPSHOT' }],
    [
      'MCOLLECTIVE',
      'I, [2010-12-29T15:00:27.543825 #27545]  INFO -- : started',
      { pid: '27545', event_level: 'INFO' },
    ],
    [
      'NAGIOSLOGLINE',
      '[1427925600] SERVICE ALERT: web;HTTP;CRITICAL;SOFT;1;refused; twice',
      {
        nagios_epoch: '1427925600',
        nagios_type: 'SERVICE ALERT',
        nagios_hostname: 'web',
        nagios_service: 'HTTP',
        nagios_state: 'CRITICAL',
        nagios_statelevel: 'SOFT',
        nagios_attempt: '1',
        nagios_message: 'refused; twice',
      },
    ],
    [
      'NAGIOSLOGLINE',
      '[1] EXTERNAL COMMAND: DISABLE_SVC_CHECK;web;HTTP',
      { nagios_command: 'DISABLE_SVC_CHECK', nagios_hostname: 'web', nagios_service: 'HTTP' },
    ],
  ])('%s', (pattern, line, wanted) => {
    expect(fieldsOf('legacy', pattern, line)).toMatchObject(wanted)
  })
})

describe('lines in the series of the Elastic Common Schema', () => {
  it.each<[string, string, Record<string, unknown>]>([
    [
      'S3_ACCESS_LOG',
      s3,
      {
        'aws.s3access.bucket': 'logs-bucket',
        'client.ip': '192.0.2.3',
        'http.response.status_code': 200,
        'aws.s3access.bytes_sent': 113,
        'user_agent.original': 'curl/7.15.1',
      },
    ],
    [
      'ELB_ACCESS_LOG',
      `${elb} "curl/7" - -`,
      {
        'aws.elb.name': 'my-lb',
        'url.domain': 'www.example.com',
        'url.port': 80,
        'url.query': 'q=1',
        'aws.elb.backend.port': 80,
        'user_agent.original': 'curl/7',
      },
    ],
    [
      'BACULA_LOG',
      bacula,
      {
        'host.hostname': 'bacula-dir',
        'bacula.job.id': '241',
        'bacula.job.name': 'BackupClient1.2009-11-09_15.55.00',
      },
    ],
    [
      'BRO_CONN',
      conn,
      { 'network.protocol': 'dns', 'zeek.connection.orig_bytes': 62, 'destination.bytes': 169 },
    ],
    [
      'ZEEK_CONN',
      conn,
      {
        'zeek.session_id': 'CQcLzv2',
        'source.port': 50001,
        'zeek.connection.duration': expect.anything(),
        'zeek.connection.state': 'SF',
      },
    ],
    [
      'ZEEK_HTTP',
      tabs(
        '1541001600.5 CV 10.0.0.5 1031 192.0.2.80 80 1 GET example.com /a - 1.1 curl - 0 12 200 OK - - (empty) - - - - - - Fx - text/plain',
      ),
      {
        'http.request.method': 'GET',
        'http.version': '1.1',
        'http.response.status_code': 200,
        'http.response.mime_type': 'text/plain',
      },
    ],
    [
      'ZEEK_FILES',
      tabs(
        '1362692527.0 FMnx 192.0.2.80 10.0.0.5 CXWv HTTP 0 MD5 text/plain - 0.000054 - F 4705 4705 0 0 F - 397168fd - - -',
      ),
      {
        'server.ip': '192.0.2.80',
        'client.ip': '10.0.0.5',
        'file.size': 4705,
        'file.hash.md5': '397168fd',
      },
    ],
    [
      'EXIM',
      exim,
      {
        'process.pid': 3301,
        'exim.log.message.id': '1VqL2b-0006HX-TK',
        'source.port': 1234,
        'exim.log.message.size': 1024,
        'exim.log.recipient.email': 'bob@example.com',
      },
    ],
    [
      'CISCOFW302013_302014_302015_302016',
      asa,
      { 'cisco.asa.outcome': 'Built', 'source.port': 51562, 'destination.nat.ip': '198.51.100.7' },
    ],
    [
      'CISCOFW106023',
      denied,
      {
        'observer.ingress.interface.name': 'outside',
        'source.ip': '203.0.113.9',
        'destination.port': 22,
        'cisco.asa.rule_name': 'OUTSIDE_IN',
      },
    ],
    [
      'IPTABLES',
      netfilter,
      {
        'source.mac': '00:16:3e:1f:0a:01',
        'iptables.ttl': 49,
        'iptables.fragment_flags': 'DF',
        'destination.port': 23,
        'iptables.tcp.window': 14600,
        'iptables.tcp.flags': 'SYN ',
      },
    ],
    [
      'SHOREWALL',
      shorewall,
      { 'observer.hostname': 'myHost', 'shorewall.firewall.action': 'DROP', 'source.port': 41529 },
    ],
    [
      'RT_FLOW1',
      close,
      {
        'juniper.srx.src_nat_rule_name': 'nat-out',
        'source.bytes': 1830,
        'rule.name': 'allow-web',
      },
    ],
    [
      'NAGIOSLOGLINE',
      '[1427925600] HOST ALERT: web;DOWN;HARD;3;gone',
      {
        timestamp: '1427925600',
        'host.hostname': 'web',
        'service.state': 'DOWN',
        'nagios.log.attempt': 3,
        message: 'gone',
      },
    ],
    [
      'MCOLLECTIVE',
      'I, [2010-12-29T15:00:27.543825 #27545]  INFO -- : x',
      { 'process.pid': 27545, 'log.level': 'INFO' },
    ],
  ])('%s', (pattern, line, wanted) => {
    expect(fieldsOf('ecs-v1', pattern, line)).toMatchObject(wanted)
  })
})
