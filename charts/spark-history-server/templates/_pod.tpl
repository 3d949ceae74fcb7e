{{/*
Parts of the server's pod. Call with the root.

  spark-history-server.answers         a probe: the server answers
  spark-history-server.initContainers  the store's CA, and its folders
  spark-history-server.configMount, spark-history-server.configVolume
                                       the chart's ConfigMap
  spark-history-server.jwsSecret       a volume's source: the key that tokens are signed with
  spark-history-server.usesHadoop      "true" where the store is HDFS
  spark-history-server.hadoop          how the server reaches it, JSON: a map of global (hadoop and kerberos) and, where it logs in, login and
                                       principal: those of global.eventLog, or else those of drivers
  spark-history-server.outside         how it reaches servers outside, JSON, for spark-common.outsideEnv and the like
  spark-history-server.hadoopEnv       variables of a container that opens the store
  spark-history-server.fsCommand, spark-history-server.fsEnv, spark-history-server.fsResources
                                       of a container that runs Hadoop's own program for files, in the store
*/}}

{{- define "spark-history-server.answers" -}}
{{- include "spark-common.answers" (dict "port" "history" "path" "/api/v1/version") -}}
{{- end }}

{{- define "spark-history-server.initContainers" -}}
{{- include "spark-common.trustInit" (merge (dict "image" (include "spark-common.image" .)) (include "spark-history-server.outside" . | fromJson)) }}
{{- if has .Values.global.eventLog.store (list "s3" "gcs" "abfs") }}
# Spark asks that the folders are there, before the first log is.
- name: log-folder
  image: {{ include "spark-common.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args:
    {{- include "spark-history-server.fsCommand" . | nindent 4 }}
    - -mkdir
    - -p
    {{- range include "spark-history-server.folders" . | fromJsonArray }}
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
    {{- include "spark-common.outsideMounts" (include "spark-history-server.outside" . | fromJson) | nindent 4 }}
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
{{- include "spark-common.eventLogEnv" .Values.global.eventLog }}
{{- include "spark-history-server.hadoopEnv" . }}
{{- if not (include "spark-history-server.usesHadoop" .) }}
- name: HADOOP_CONF_DIR
  value: /opt/kindling
{{- end }}
{{- with (include "spark-history-server.hadoop" . | fromJson).principal }}
- name: KRB5PRINCIPAL
  value: {{ quote . }}
- name: KRB5KEYTAB
  value: /etc/spark-kerberos/keytab
{{- end }}
# The server's own, by which it may find its identity at the store.
{{- include "spark-common.env" (omit .Values.env "SPARK_DRIVER_MEMORY" "HADOOP_CONF_DIR" "KRB5PRINCIPAL" "KRB5KEYTAB" "AUTH" "JWS_KEY") }}
{{- end }}

{{- define "spark-history-server.usesHadoop" -}}
{{- if eq .Values.global.eventLog.store "hdfs" -}}
true
{{- end -}}
{{- end }}

{{- define "spark-history-server.hadoop" -}}
{{- $global := .Values.global -}}
{{- $found := dict "global" (dict "hadoop" (dict) "kerberos" (dict)) -}}
{{- if include "spark-history-server.usesHadoop" . -}}
{{- $_ := pick $global "hadoop" "kerberos" | set $found "global" -}}
{{- if $global.eventLog.hdfs.principal -}}
{{- $_ := set $found "principal" $global.eventLog.hdfs.principal -}}
{{- $_ := dict "name" $global.eventLog.secret.name "key" $global.eventLog.secret.key "path" "keytab" | set $found "login" -}}
{{- else if $global.kerberos.keytab.name -}}
{{- $_ := set $found "principal" $global.kerberos.principal -}}
{{- $_ := include "spark-common.login" $global | fromYaml | set $found "login" -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{- define "spark-history-server.outside" -}}
{{- $global := merge (pick (include "spark-history-server.hadoop" . | fromJson).global "hadoop" "kerberos") (omit .Values.global "hadoop" "kerberos") -}}
{{- $opensS3 := and (eq .Values.global.eventLog.store "s3") (not .Values.global.eventLog.secret.name) -}}
{{- dict "global" $global "eventLog" .Values.global.eventLog "opensS3" $opensS3 | toJson -}}
{{- end }}

{{- define "spark-history-server.hadoopEnv" -}}
{{- $hadoop := include "spark-history-server.hadoop" . | fromJson }}
{{- include "spark-common.hadoopEnv" (dict "global" $hadoop.global "isDriver" false) }}
{{- include "spark-common.outsideEnv" (include "spark-history-server.outside" . | fromJson) }}
{{- end }}

{{- define "spark-history-server.fsResources" -}}
requests: { cpu: 50m, memory: 128Mi }
limits:
  memory: 512Mi
  {{- include "spark-common.helperCpuLimit" .Values.global.helpers | nindent 2 }}
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
