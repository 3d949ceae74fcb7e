{{/*
Spark's log, as values ask for it in a section: level, json, properties (a whole configuration). A ConfigMap holds
log4j2.properties. Call with the section unless said otherwise.

  spark-common.hasLog     "true" if values ask for a log other than the image's
  spark-common.log4j2     the text of log4j2.properties
  spark-common.logVolume  the ConfigMap as a pod's volume, in a list; call with the ConfigMap's name
  spark-common.logMount   the same as a mount of Spark's container, in a list: one file, so that other files of
                          /opt/spark/conf, the image's or those of volumes, stay beside it
  spark-common.confFolder the variable that says where Spark's configuration is, in a list
*/}}

{{- define "spark-common.hasLog" -}}
{{- if or .level .json .properties -}}
true
{{- end -}}
{{- end }}

{{- define "spark-common.log4j2" -}}
{{- if .properties -}}
{{ .properties }}
{{- else -}}
rootLogger.level = {{ .level | default "INFO" }}
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
{{- if .json }}
appender.stderr.layout.alwaysWriteExceptions = false
appender.stderr.layout.pattern = {"ts":"%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}{UTC}","level":"%p","logger":"%c","thread":"%enc{%t}{JSON}","message":"%enc{%m}{JSON}","exception":"%enc{%throwable}{JSON}"}%n
{{- else }}
appender.stderr.layout.pattern = %d{yyyy-MM-dd HH:mm:ss.SSS} %p %c{1}: %m%n%ex
{{- end }}
# As in Spark's own: the shell's and the web server's chatter.
logger.jetty.name = org.sparkproject.jetty
logger.jetty.level = WARN
{{- end }}
{{- end }}

{{- define "spark-common.logVolume" -}}
- name: spark-conf
  configMap:
    name: {{ with . }}{{ quote . }}{{ end }}
    items:
      - { key: log4j2.properties, path: log4j2.properties }
{{- end }}

{{- define "spark-common.logMount" -}}
- name: spark-conf
  mountPath: /opt/spark/conf/log4j2.properties
  subPath: log4j2.properties
  readOnly: true
{{- end }}

{{- define "spark-common.confFolder" -}}
- name: SPARK_CONF_DIR
  value: /opt/spark/conf
{{- end }}
