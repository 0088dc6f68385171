/** Lines of logs that the pattern sets of grok are for, in the forms their documentation shows. */

/** The words of a text, as columns. */
export const tabs = (text: string) => text.split(' ').join('\t')
export const s3 =
  'ownerid42 logs-bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 arn:aws:iam::1:user/x 3E57427F3EXAMPLE REST.GET.OBJECT a/b.txt "GET /logs-bucket/a/b.txt?x=1 HTTP/1.1" 200 - 113 1130 7 5 "-" "curl/7.15.1" -'
export const elb =
  '2015-05-13T23:39:43.945958Z my-lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/p?q=1 HTTP/1.1"'
export const asa =
  'Built inbound TCP connection 76118 for outside:203.0.113.5/51562 (203.0.113.5/51562) to inside:10.0.0.7/443 (198.51.100.7/443)'
export const teardown =
  'Teardown TCP connection 76118 for outside:203.0.113.5/51562 to inside:10.0.0.7/443 duration 0:00:30 bytes 1420 TCP FINs'
export const denied =
  'Deny tcp src outside:203.0.113.9/4242 dst inside:10.0.0.7/22 by access-group "OUTSIDE_IN" [0x8ed66b60, 0xf8852875]'
export const netfilter =
  'IN=eth1 OUT= MAC=00:02:b3:c7:2f:77:00:16:3e:1f:0a:01:08:00 SRC=203.0.113.4 DST=10.0.0.7 LEN=60 TOS=0x00 PREC=0x00 TTL=49 ID=27733 DF PROTO=TCP SPT=41529 DPT=23 WINDOW=14600 RES=0x00 SYN URGP=0'
export const shorewall = `May 28 17:23:25 myHost kernel: [3124658.791874] Shorewall:net2fw:DROP:${netfilter}`
export const close =
  'RT_FLOW_SESSION_CLOSE: session closed TCP FIN: 10.0.0.5/50001->198.51.100.1/80 junos-http 192.0.2.9/1024->198.51.100.1/80 nat-out None 6 allow-web trust untrust 4711 12(1830) 10(4200) 3 UNKNOWN UNKNOWN'
export const conn = tabs(
  '1541001600.58 CQcLzv2 10.0.0.5 50001 192.0.2.53 53 udp dns 0.034 62 141 SF - - 0 Dd 1 90 1 169 (empty)',
)
export const bacula =
  '09-Nov 15:55 bacula-dir JobId 241: Start Backup JobId 241, Job=BackupClient1.2009-11-09_15.55.00'
export const exim =
  '2013-12-10 11:21:05 [3301] 1VqL2b-0006HX-TK <= alice@example.org H=mx.example.org (mail.example.org) [192.0.2.17]:1234 P=esmtp S=1024 id=x@example.org for bob@example.com'
