{{/*
Spark's side of the server. Call with the root.

  spark-connect.data        what the ConfigMap holds, a map
  spark-connect.properties  Spark's configuration; what only the pod itself knows, files/start.py adds
*/}}

{{- define "spark-connect.data" -}}
{{ dict "spark.properties" (include "spark-connect.properties" . | trim | printf "%s\n") | toYaml }}
{{ dict "connect.json" (include "spark-connect.settings" . | fromYaml | mustToPrettyJson | printf "%s\n") | toYaml }}
executor.yaml: |
  apiVersion: v1
  kind: Pod
  {{- include "spark-common.executor" (dict "root" . "configMap" .Release.Name "env" .Values.executor.env) | nindent 2 }}
{{- if include "spark-common.hasLog" .Values.log }}
log4j2.properties: {{ include "spark-common.log4j2" .Values.log | quote }}
driver-log4j2.properties: {{ include "spark-common.log4j2" .Values.log | quote }}
{{- end }}
{{- range $file := list "answers.py" "kube.py" "lasting.py" "start.py" "sweep.py" "try_connect.py" }}
{{ $file }}: |
  {{- $.Files.Get (printf "files/%s" $file) | nindent 2 }}
{{- end }}
{{- if eq .Values.listen "tls" }}
{{- range $file := list "nginx.conf" "tls.sh" }}
{{ $file }}: |
  {{- $.Files.Get (printf "files/%s" $file) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* What files/start.py reads. */}}
{{- define "spark-connect.settings" -}}
login: {{ .Values.login.method }}
listen: {{ .Values.listen }}
idleServer: {{ .Values.idle.server | quote }}
hasLog: {{ include "spark-common.hasLog" .Values.log | eq "true" }}
{{- end }}

{{- define "spark-connect.properties" -}}
{{- include "spark-common.properties" (list
  (include "spark-connect.defaultConf" . | fromYaml)
  .Values.global.sparkConf
  .Values.sparkConf
  (include "spark-connect.ownConf" . | fromYaml)) -}}
{{- end }}

{{/* What sparkConf may change. */}}
{{- define "spark-connect.defaultConf" -}}
{{ include "spark-common.driverDefaults" (dict "root" . "factor" "0.4") }}
spark.app.name: {{ .Release.Name | quote }}
# An executor that has files of a shuffle is not idle until the driver's garbage collector finds that nobody can ask for them.
spark.cleaner.periodicGC.interval: 5min
# Executors that fail end the server when they are too many: in an hour, not in all its weeks.
spark.executor.failuresValidityInterval: 1h
{{- end }}

{{- define "spark-connect.ownConf" -}}
{{ include "spark-common.driverConf" . }}
{{ include "spark-common.pythonConf" . }}
spark.connect.grpc.binding.port: {{ include "spark-common.port" "connect" }}
# Another port would be nobody's: the server ends instead.
spark.connect.grpc.port.maxRetries: 0
{{- if ne .Values.listen "plaintext" }}
spark.connect.grpc.binding.address: 127.0.0.1
{{- end }}
spark.connect.session.manager.defaultSessionTimeout: {{ .Values.idle.sessions }}
{{- end }}
