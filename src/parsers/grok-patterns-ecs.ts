/**
 * Patterns of the series `ecs-v1`, whose fields have the names of the Elastic Common Schema, with dots.
 *
 * Made from the grok patterns of Logstash (github.com/logstash-plugins/logstash-patterns-core, Apache License 2.0, copyright
 * Elastic and contributors), as fluent-plugin-grok-parser has them: base, httpd, HAProxy, Java, syslog, MongoDB, PostgreSQL,
 * Rails, Redis, Ruby, Squid, BIND.
 */
export const ecsPatterns: Readonly<Record<string, string>> = {
  EMAILLOCALPART:
    "[a-zA-Z0-9!#$%&'*+\\-/=?^_`{|}~]{1,64}(?:\\.[a-zA-Z0-9!#$%&'*+\\-/=?^_`{|}~]{1,62}){0,63}",
  URIHOST: '%{IPORHOST}(?::%{POSINT})?',
  URIQUERY: "[A-Za-z0-9$.+!*'|(){},~@#%&/=:;_?\\-\\[\\]<>]*",
  URIPARAM: '\\?%{URIQUERY}',
  URIPATHPARAM: '%{URIPATH}(?:\\?%{URIQUERY})?',
  URI: '%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATH}(?:\\?%{URIQUERY})?)?',
  ISO8601_SECOND: '%{SECOND}',
  SYSLOGPROG: '%{PROG:[process][name]}(?:\\[%{POSINT:[process][pid]:integer}\\])?',
  SYSLOGFACILITY:
    '<%{NONNEGINT:[log][syslog][facility][code]:integer}.%{NONNEGINT:[log][syslog][priority]:integer}>',
  SYSLOGBASE:
    '%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:[host][hostname]} %{SYSLOGPROG}:',
  HTTPD_COMMONLOG:
    '%{IPORHOST:[source][address]} (?:-|%{HTTPDUSER:[apache][access][user][identity]}) (?:-|%{HTTPDUSER:[user][name]}) \\[%{HTTPDATE:timestamp}\\] "(?:%{WORD:[http][request][method]} %{NOTSPACE:[url][original]}(?: HTTP/%{NUMBER:[http][version]})?|%{DATA})" (?:-|%{INT:[http][response][status_code]:integer}) (?:-|%{INT:[http][response][body][bytes]:integer})',
  HTTPD_COMBINEDLOG:
    '%{HTTPD_COMMONLOG} "(?:-|%{DATA:[http][request][referrer]})" "(?:-|%{DATA:[user_agent][original]})"',
  HTTPD20_ERRORLOG:
    '\\[%{HTTPDERROR_DATE:timestamp}\\] \\[%{LOGLEVEL:[log][level]}\\] (?:\\[client %{IPORHOST:[source][address]}\\] )?%{GREEDYDATA:message}',
  HTTPD24_ERRORLOG:
    '\\[%{HTTPDERROR_DATE:timestamp}\\] \\[(?:%{WORD:[apache][error][module]})?:%{LOGLEVEL:[log][level]}\\] \\[pid %{POSINT:[process][pid]:integer}(:tid %{INT:[process][thread][id]:integer})?\\](?: \\(%{POSINT:[apache][error][proxy][error][code]?}\\)%{DATA:[apache][error][proxy][error][message]}:)?(?: \\[client %{IPORHOST:[source][address]}(?::%{POSINT:[source][port]:integer})?\\])?(?: %{DATA:[error][code]}:)? %{GREEDYDATA:message}',
  HAPROXYTIME: '(?!<[0-9])%{HOUR}:%{MINUTE}(?::%{SECOND})(?![0-9])',
  HAPROXYDATE: '%{MONTHDAY}/%{MONTH}/%{YEAR}:%{HAPROXYTIME}.%{INT}',
  HAPROXYCAPTUREDREQUESTHEADERS: '%{DATA:[haproxy][http][request][captured_headers]}',
  HAPROXYCAPTUREDRESPONSEHEADERS: '%{DATA:[haproxy][http][response][captured_headers]}',
  HAPROXYURI:
    '(?:%{URIPROTO:[url][scheme]}://)?(?:%{USER:[url][username]}(?::[^@]*)?@)?(?:%{IPORHOST:[url][domain]}(?::%{POSINT:[url][port]:integer})?)?(?:%{URIPATH:[url][path]}(?:\\?%{URIQUERY:[url][query]})?)?',
  HAPROXYHTTPREQUESTLINE:
    '(?:<BADREQ>|(?:%{WORD:[http][request][method]} %{HAPROXYURI:[url][original]}(?: HTTP/%{NUMBER:[http][version]})?))',
  HAPROXYHTTPBASE:
    '%{IP:[source][address]}:%{INT:[source][port]:integer} \\[%{HAPROXYDATE:[haproxy][request_date]}\\] %{NOTSPACE:[haproxy][frontend_name]} %{NOTSPACE:[haproxy][backend_name]}/(?:<NOSRV>|%{NOTSPACE:[haproxy][server_name]}) (?:-1|%{INT:[haproxy][http][request][time_wait_ms]:integer})/(?:-1|%{INT:[haproxy][total_waiting_time_ms]:integer})/(?:-1|%{INT:[haproxy][connection_wait_time_ms]:integer})/(?:-1|%{INT:[haproxy][http][request][time_wait_without_data_ms]:integer})/%{NOTSPACE:[haproxy][total_time_ms]} %{INT:[http][response][status_code]:integer} %{INT:[source][bytes]:integer} (?:-|%{DATA:[haproxy][http][request][captured_cookie]}) (?:-|%{DATA:[haproxy][http][response][captured_cookie]}) %{NOTSPACE:[haproxy][termination_state]} %{INT:[haproxy][connections][active]:integer}/%{INT:[haproxy][connections][frontend]:integer}/%{INT:[haproxy][connections][backend]:integer}/%{INT:[haproxy][connections][server]:integer}/%{INT:[haproxy][connections][retries]:integer} %{INT:[haproxy][server_queue]:integer}/%{INT:[haproxy][backend_queue]:integer}(?: \\{%{HAPROXYCAPTUREDREQUESTHEADERS}\\}(?: \\{%{HAPROXYCAPTUREDRESPONSEHEADERS}\\})?)?(?: "%{HAPROXYHTTPREQUESTLINE}"?)?',
  HAPROXYHTTP:
    '(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) %{IPORHOST:[host][hostname]} %{SYSLOGPROG}: %{HAPROXYHTTPBASE}',
  HAPROXYTCP:
    '(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) %{IPORHOST:[host][hostname]} %{SYSLOGPROG}: %{IP:[source][address]}:%{INT:[source][port]:integer} \\[%{HAPROXYDATE:[haproxy][request_date]}\\] %{NOTSPACE:[haproxy][frontend_name]} %{NOTSPACE:[haproxy][backend_name]}/(?:<NOSRV>|%{NOTSPACE:[haproxy][server_name]}) (?:-1|%{INT:[haproxy][total_waiting_time_ms]:integer})/(?:-1|%{INT:[haproxy][connection_wait_time_ms]:integer})/%{NOTSPACE:[haproxy][total_time_ms]} %{INT:[source][bytes]:integer} %{NOTSPACE:[haproxy][termination_state]} %{INT:[haproxy][connections][active]:integer}/%{INT:[haproxy][connections][frontend]:integer}/%{INT:[haproxy][connections][backend]:integer}/%{INT:[haproxy][connections][server]:integer}/%{INT:[haproxy][connections][retries]:integer} %{INT:[haproxy][server_queue]:integer}/%{INT:[haproxy][backend_queue]:integer}',
  JAVASTACKTRACEPART:
    '%{SPACE}at %{JAVACLASS:[java][log][origin][class][name]}\\.%{JAVAMETHOD:[log][origin][function]}\\(%{JAVAFILE:[log][origin][file][name]}(?::%{INT:[log][origin][file][line]:integer})?\\)',
  JAVALOGMESSAGE: '(?:.*)',
  CATALINA7_DATESTAMP: '%{MONTH} %{MONTHDAY}, %{YEAR} %{HOUR}:%{MINUTE}:%{SECOND} (?:AM|PM)',
  CATALINA7_LOG:
    '%{CATALINA7_DATESTAMP:timestamp} %{JAVACLASS:[java][log][origin][class][name]}(?: %{JAVAMETHOD:[log][origin][function]})?\\s*(?:%{LOGLEVEL:[log][level]}:)? %{JAVALOGMESSAGE:message}',
  CATALINA8_DATESTAMP: '%{MONTHDAY}-%{MONTH}-%{YEAR} %{HOUR}:%{MINUTE}:%{SECOND}',
  CATALINA8_LOG:
    '%{CATALINA8_DATESTAMP:timestamp} %{LOGLEVEL:[log][level]} \\[%{DATA:[java][log][origin][thread][name]}\\] %{JAVACLASS:[java][log][origin][class][name]}\\.(?:%{JAVAMETHOD:[log][origin][function]})? %{JAVALOGMESSAGE:message}',
  CATALINA_DATESTAMP: '(?:%{CATALINA8_DATESTAMP})|(?:%{CATALINA7_DATESTAMP})',
  CATALINALOG: '(?:%{CATALINA8_LOG})|(?:%{CATALINA7_LOG})',
  TOMCAT7_LOG: '%{CATALINA7_LOG}',
  TOMCAT8_LOG: '%{CATALINA8_LOG}',
  TOMCATLEGACY_DATESTAMP:
    '%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND}(?: %{ISO8601_TIMEZONE})?',
  TOMCATLEGACY_LOG:
    '%{TOMCATLEGACY_DATESTAMP:timestamp} \\| %{LOGLEVEL:[log][level]} \\| %{JAVACLASS:[java][log][origin][class][name]} - %{JAVALOGMESSAGE:message}',
  TOMCAT_DATESTAMP:
    '(?:%{CATALINA8_DATESTAMP})|(?:%{CATALINA7_DATESTAMP})|(?:%{TOMCATLEGACY_DATESTAMP})',
  TOMCATLOG: '(?:%{TOMCAT8_LOG})|(?:%{TOMCAT7_LOG})|(?:%{TOMCATLEGACY_LOG})',
  SYSLOGBASE2:
    '(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp})(?: %{SYSLOGFACILITY})?(?: %{SYSLOGHOST:[host][hostname]})?(?: %{SYSLOGPROG}:)?',
  SYSLOGPAMSESSION:
    '%{SYSLOGBASE} (?=%{GREEDYDATA:message})%{WORD:[system][auth][pam][module]}\\(%{DATA:[system][auth][pam][origin]}\\): session %{WORD:[system][auth][pam][session_state]} for user %{USERNAME:[user][name]}(?: by %{GREEDYDATA})?',
  CRONLOG:
    '%{SYSLOGBASE} \\(%{USER:[user][name]}\\) %{CRON_ACTION:[system][cron][action]} \\(%{DATA:message}\\)',
  SYSLOG5424PRI: '<%{NONNEGINT:[log][syslog][priority]:integer}>',
  SYSLOG5424BASE:
    '%{SYSLOG5424PRI}%{NONNEGINT:[system][syslog][version]} +(?:-|%{TIMESTAMP_ISO8601:timestamp}) +(?:-|%{IPORHOST:[host][hostname]}) +(?:-|%{SYSLOG5424PRINTASCII:[process][name]}) +(?:-|%{POSINT:[process][pid]:integer}) +(?:-|%{SYSLOG5424PRINTASCII:[event][code]}) +(?:-|%{SYSLOG5424SD:[system][syslog][structured_data]})?',
  SYSLOG5424LINE: '%{SYSLOG5424BASE} +%{GREEDYDATA:message}',
  MONGO_LOG:
    '%{SYSLOGTIMESTAMP:timestamp} \\[%{WORD:[mongodb][component]}\\] %{GREEDYDATA:message}',
  MONGO_SLOWQUERY:
    '%{WORD:[mongodb][profile][op]} %{MONGO_WORDDASH:[mongodb][database]}\\.%{MONGO_WORDDASH:[mongodb][collection]} %{WORD}: %{MONGO_QUERY:[mongodb][query][original]} ntoreturn:%{NONNEGINT:[mongodb][profile][ntoreturn]:integer} ntoskip:%{NONNEGINT:[mongodb][profile][ntoskip]:integer} nscanned:%{NONNEGINT:[mongodb][profile][nscanned]:integer}.*? nreturned:%{NONNEGINT:[mongodb][profile][nreturned]:integer}.*? %{INT:[mongodb][profile][duration]:integer}ms',
  MONGO3_COMPONENT: '%{WORD}',
  MONGO3_LOG:
    '%{TIMESTAMP_ISO8601:timestamp} %{MONGO3_SEVERITY:[log][level]} (?:-|%{MONGO3_COMPONENT:[mongodb][component]})%{SPACE}(?:\\[%{DATA:[mongodb][context]}\\])? %{GREEDYDATA:message}',
  POSTGRESQL:
    '%{DATESTAMP:timestamp} %{TZ:[event][timezone]} %{DATA:[user][name]} %{GREEDYDATA:[postgresql][log][connection_id]} %{POSINT:[process][pid]:integer}',
  RCONTROLLER: '(?<[rails][controller][class]>[^#]+)#(?<[rails][controller][action]>\\w+)',
  RAILS3HEAD:
    '(?m)Started %{WORD:[http][request][method]} "%{URIPATHPARAM:[url][original]}" for %{IPORHOST:[source][address]} at (?<timestamp>%{YEAR}-%{MONTHNUM}-%{MONTHDAY} %{HOUR}:%{MINUTE}:%{SECOND} %{ISO8601_TIMEZONE})',
  RPROCESSING:
    '\\W*Processing by %{RCONTROLLER} as (?<[rails][request][format]>\\S+)(?:\\W*Parameters: {%{DATA:[rails][request][params]}}\\W*)?',
  RAILS3FOOT:
    'Completed %{POSINT:[http][response][status_code]:integer}%{DATA} in %{NUMBER:[rails][request][duration][total]:float}ms %{RAILS3PROFILE}%{GREEDYDATA}',
  RAILS3PROFILE:
    '(?:\\(Views: %{NUMBER:[rails][request][duration][view]:float}ms \\| ActiveRecord: %{NUMBER:[rails][request][duration][active_record]:float}ms|\\(ActiveRecord: %{NUMBER:[rails][request][duration][active_record]:float}ms)?',
  RAILS3:
    '%{RAILS3HEAD}(?:%{RPROCESSING})?(?<[rails][request][explain][original]>(?:%{DATA}\\n)*)(?:%{RAILS3FOOT})?',
  REDISLOG: '\\[%{POSINT:[process][pid]:integer}\\] %{REDISTIMESTAMP:timestamp} \\*',
  REDISMONLOG:
    '%{NUMBER:timestamp} \\[%{INT:[redis][database][id]} %{IP:[client][ip]}:%{POSINT:[client][port]:integer}\\] "%{WORD:[redis][command][name]}"\\s?%{GREEDYDATA:[redis][command][args]}',
  RUBY_LOGGER:
    '[DFEWI], \\[%{TIMESTAMP_ISO8601:timestamp} #%{POSINT:[process][pid]:integer}\\] *%{RUBY_LOGLEVEL:[log][level]} -- +%{DATA:[process][name]}: %{GREEDYDATA:message}',
  SQUID3_STATUS: '(?:%{POSINT:[http][response][status_code]:integer}|0|000)',
  SQUID3:
    '%{NUMBER:timestamp}\\s+%{NUMBER:[squid][request][duration]:integer}\\s%{IP:[source][ip]}\\s%{WORD:[event][action]}/%{SQUID3_STATUS}\\s%{INT:[http][response][bytes]:integer}\\s%{WORD:[http][request][method]}\\s%{NOTSPACE:[url][original]}\\s(?:-|%{NOTSPACE:[user][name]})\\s%{WORD:[squid][hierarchy_code]}/(?:-|%{IPORHOST:[destination][address]})\\s(?:-|%{NOTSPACE:[http][response][mime_type]})',
  BIND9_DNSTYPE:
    '(?:A|AAAA|CAA|CDNSKEY|CDS|CERT|CNAME|CSYNC|DLV|DNAME|DNSKEY|DS|HINFO|LOC|MX|NAPTR|NS|NSEC|NSEC3|OPENPGPKEY|PTR|RRSIG|RP|SIG|SMIMEA|SOA|SRV|TSIG|TXT|URI)',
  BIND9_CATEGORY: '(?:queries)',
  BIND9_QUERYLOGBASE:
    'client(:? @0x(?:[0-9A-Fa-f]+))? %{IP:[client][ip]}#%{POSINT:[client][port]:integer} \\(%{GREEDYDATA:[bind][log][question][name]}\\): query: %{GREEDYDATA:[dns][question][name]} (?<[dns][question][class]>IN) %{BIND9_DNSTYPE:[dns][question][type]}(:? %{DATA:[bind][log][question][flags]})? \\(%{IP:[server][ip]}\\)',
  BIND9_QUERYLOG:
    '%{BIND9_TIMESTAMP:timestamp} %{BIND9_CATEGORY:[bing][log][category]}: %{LOGLEVEL:[log][level]}: %{BIND9_QUERYLOGBASE}',
  BIND9: '%{BIND9_QUERYLOG}',
}
