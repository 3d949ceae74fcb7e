{{/*
Parts of the server's pod. Call with the root.

  spark-history-server.answers         a probe: the server answers
  spark-history-server.initContainers  the store's CA, and its folders
  spark-history-server.configMount, spark-history-server.configVolume
                                       the chart's ConfigMap
  spark-history-server.jwsSecret       a volume's source: the key that tokens are signed with
  spark-history-server.fsCommand, spark-history-server.fsEnv, spark-history-server.fsResources
                                       of a container that runs Hadoop's own program for files, in the store
*/}}

{{- define "spark-history-server.answers" -}}
exec:
  command:
    - bash
    - -c
    - |
      exec 3<>/dev/tcp/127.0.0.1/18080
      printf 'GET /api/v1/version HTTP/1.0\r\n\r\n' >&3
      read -r -t 8 version status rest <&3
      [[ $version == HTTP/* && $status == [234]* ]]
timeoutSeconds: 10
{{- end }}

{{- define "spark-history-server.initContainers" -}}
{{- include "spark-common.eventLogInit" (dict "eventLog" .Values.global.eventLog "image" (include "spark-common.image" .)) }}
{{- if has .Values.global.eventLog.store (list "s3" "gcs" "abfs") }}
# Spark asks that the folders are there, before the first log is.
- name: log-folder
  image: {{ include "spark-common.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    {{- include "spark-history-server.fsCommand" . | nindent 4 }}
    - -mkdir
    - -p
    - {{ include "spark-common.eventLogUrl" .Values.global.eventLog | quote }}
    {{- range .Values.moreFolders }}
    - {{ quote . }}
    {{- end }}
  env:
    {{- include "spark-history-server.fsEnv" . | nindent 4 }}
  resources:
    {{- include "spark-history-server.fsResources" . | nindent 4 }}
  terminationMessagePolicy: FallbackToLogsOnError
  securityContext:
    {{- include "spark-common.containerSecurityContext" . | nindent 4 }}
  volumeMounts:
    {{- include "spark-common.scratchMounts" . | nindent 4 }}
    {{- include "spark-history-server.configMount" . | nindent 4 }}
    {{- include "spark-common.eventLogMounts" .Values.global.eventLog | nindent 4 }}
{{- end }}
{{- end }}

{{- define "spark-history-server.configMount" -}}
- name: kindling
  mountPath: /opt/kindling
  readOnly: true
{{- end }}

{{- define "spark-history-server.configVolume" -}}
- name: kindling
  configMap:
    name: {{ .Release.Name | quote }}
{{- end }}

{{- define "spark-history-server.fsCommand" -}}
- /opt/spark/bin/spark-class
- org.apache.hadoop.fs.FsShell
{{- end }}

{{- define "spark-history-server.fsEnv" -}}
- name: SPARK_DRIVER_MEMORY
  value: 128m
{{- $env := include "spark-common.eventLogEnv" .Values.global.eventLog }}
{{- $env }}
{{- if not (contains "HADOOP_CONF_DIR" $env) }}
- name: HADOOP_CONF_DIR
  value: /opt/kindling
{{- end }}
{{- with .Values.global.eventLog }}
{{- if and (eq .store "hdfs") .hdfs.principal }}
- name: KRB5PRINCIPAL
  value: {{ .hdfs.principal | quote }}
- name: KRB5KEYTAB
  value: /etc/spark-event-log/{{ .secret.key }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spark-history-server.fsResources" -}}
requests: { cpu: 50m, memory: 128Mi }
limits: { memory: 512Mi }
{{- end }}

{{- define "spark-history-server.jwsSecret" -}}
{{- with .Values.auth.jws.secret -}}
secret:
  secretName: {{ .name | quote }}
  # 0440: the pod's fsGroup reads it.
  defaultMode: 288
  items:
    - { key: {{ .key | quote }}, path: key }
{{- end }}
{{- end }}
