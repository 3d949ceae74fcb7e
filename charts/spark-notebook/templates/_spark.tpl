{{/*
Spark's side of the notebook. Call with the root.

  spark-notebook.data        what the ConfigMap holds, a map
  spark-notebook.properties  Spark's configuration; what only the pod itself knows, files/start.py adds
  spark-notebook.executorImage  reference of the executors' image, or nothing where it is the notebook's
*/}}

{{- define "spark-notebook.data" -}}
{{ dict "spark.properties" (include "spark-notebook.properties" . | trim | printf "%s\n") | toYaml }}
{{ dict "notebook.json" (include "spark-notebook.settings" . | fromYaml | mustToPrettyJson | printf "%s\n") | toYaml }}
executor.yaml: |
  apiVersion: v1
  kind: Pod
  {{- include "spark-common.executor" (dict "root" . "configMap" .Release.Name "env" .Values.executor.env) | nindent 2 }}
{{- if include "spark-common.hasLog" .Values.log }}
log4j2.properties: {{ include "spark-common.log4j2" .Values.log | quote }}
{{- end }}
driver-log4j2.properties: {{ include "spark-notebook.driverLog" . | quote }}
driver-spark-env.sh: {{ .Files.Get "files/spark-env.sh" | quote }}
{{- range $file := list "start.py" "kindling_session.py" "ipython_kernel_config.py" "kube.py" "lasting.py" "sweep.py" "try_notebook.py" "versions.py" }}
{{ $file }}: |
  {{- $.Files.Get (printf "files/%s" $file) | nindent 2 }}
{{- end }}
{{- end }}

{{/* What files/start.py and files/kindling_session.py read. */}}
{{- define "spark-notebook.settings" -}}
baseUrl: {{ include "spark-notebook.baseUrl" . | quote }}
port: {{ include "spark-common.port" "notebook" }}
login: {{ .Values.login.method }}
namespace: {{ .Release.Namespace | quote }}
idleKernels: {{ .Values.idle.kernels | quote }}
idleNotebook: {{ .Values.idle.notebook | quote }}
uiUrl: {{ with .Values.global.uiProxy.url }}{{ printf "%s%s/proxy/" . $.Release.Namespace | quote }}{{ else }}""{{ end }}
executorImage: {{ include "spark-notebook.executorImage" . | quote }}
{{- end }}

{{/* That of their own, or nothing. */}}
{{- define "spark-notebook.executorImage" -}}
{{- $executors := dict "root" . "role" "executor" -}}
{{- if include "spark-common.hasOwnImage" $executors -}}
{{- include "spark-common.roleImage" $executors -}}
{{- end -}}
{{- end }}

{{/* A whole configuration of the user's, or JSON, goes where theirs says; else to the pod's log, and errors to the cell too. */}}
{{- define "spark-notebook.driverLog" -}}
{{- if or .Values.log.properties .Values.log.json -}}
{{ include "spark-common.log4j2" .Values.log }}
{{- else -}}
{{ .Files.Get "files/log4j2.properties" | replace "LEVEL" (.Values.log.level | default "INFO") }}
{{- end -}}
{{- end }}

{{- define "spark-notebook.properties" -}}
{{- include "spark-common.properties" (list
  (include "spark-notebook.defaultConf" . | fromYaml)
  .Values.global.sparkConf
  .Values.sparkConf
  (include "spark-notebook.ownConf" . | fromYaml)) -}}
{{- end }}

{{/* What sparkConf may change. */}}
{{- define "spark-notebook.defaultConf" -}}
{{ include "spark-common.driverDefaults" (dict "root" . "factor" "0.4") }}
spark.app.name: {{ .Release.Name | quote }}
{{- end }}

{{- define "spark-notebook.ownConf" -}}
{{ include "spark-common.driverConf" . }}
{{ include "spark-common.pythonConf" . }}
{{- end }}
