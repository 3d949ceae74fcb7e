{{/*
Spark's side of the notebook. Call with the root.

  spark-notebook.data        what the ConfigMap holds, a map
  spark-notebook.properties  Spark's configuration; what only the pod itself knows, files/start.py adds
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
{{- range $file := list "start.py" "kindling_session.py" "ipython_kernel_config.py" "spark-env.sh" "try_notebook.py" "versions.py" }}
{{ $file }}: |
  {{- $.Files.Get (printf "files/%s" $file) | nindent 2 }}
{{- end }}
{{- end }}

{{/* What files/start.py and files/kindling_session.py read. */}}
{{- define "spark-notebook.settings" -}}
baseUrl: {{ include "spark-notebook.baseUrl" . | quote }}
port: {{ include "spark-common.port" "notebook" }}
login: {{ .Values.login.method }}
idleKernels: {{ .Values.idle.kernels | quote }}
idleNotebook: {{ .Values.idle.notebook | quote }}
uiUrl: {{ with .Values.global.uiProxy.url }}{{ printf "%s%s/proxy/" . $.Release.Namespace | quote }}{{ else }}""{{ end }}
executorImage: {{ .Values.executor.image | quote }}
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
{{- with .Values.executor.image }}
spark.kubernetes.executor.container.image: {{ . | quote }}
{{- end }}
{{- end }}
