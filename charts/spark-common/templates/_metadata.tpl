{{/*
Names and labels. Call with a dict: root (the chart's root, $) and, where a part has one, component.

  spark-common.podLabels   labels of pods: who they belong to; no version, so that an upgrade does not replace them
  spark-common.labels      labels of any other object: the same, and which chart made it
*/}}

{{- define "spark-common.podLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "spark-common.labels" -}}
{{ include "spark-common.podLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: kindling
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}
