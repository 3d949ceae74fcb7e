{{/*
Names and labels. Call with a dict: root (the chart's root, $) and, where a part has one, component.

  spark-common.podLabels   labels of pods: who they belong to; no version, so that an upgrade does not replace them
  spark-common.labels      labels of any other object: the same, which chart made it, and spark-common.moreLabels; extra may
                           be given too
  spark-common.moreLabels  global.commonLabels and a map of labels over them; call with a dict: root, extra
  spark-common.shortened   a name that has no more characters than it may, and is no other's; call with a dict: name, most
  spark-common.checkLabels refuses labels that the charts set themselves; call with a dict: labels, from (their name in
                           values)
  spark-common.checkAnnotations  refuses annotations of helm's own, and Spark's ids; call with a dict: annotations, from
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
{{- with include "spark-common.moreLabels" . }}
{{ . }}
{{- end }}
{{- end }}

{{- define "spark-common.moreLabels" -}}
{{- $labels := dict -}}
{{- include "spark-common.overlay" (dict "base" $labels "extra" .root.Values.global.commonLabels) -}}
{{- include "spark-common.overlay" (dict "base" $labels "extra" .extra) -}}
{{- with $labels -}}
{{- toYaml . -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkLabels" -}}
{{- range $key := keys .labels | sortAlpha -}}
{{- if regexMatch "^(app\\.kubernetes\\.io/(name|instance|component|managed-by|part-of)|helm\\.sh/chart|spark-.*|kindling\\.local/.*|pod-security\\.kubernetes\\.io/.*|job-name|controller-uid|batch\\.kubernetes\\.io/.*)$" $key -}}
{{- fail (printf "%s sets %s, by which Kubernetes or the charts find their objects: take another key" $.from $key) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkAnnotations" -}}
{{- range $key := keys (.annotations | default dict) | sortAlpha -}}
{{- if regexMatch "^(meta\\.)?helm\\.sh/" $key -}}
{{- fail (printf "%s sets %s, by which helm finds its objects: take another key" $.from $key) -}}
{{- end -}}
{{- end -}}
{{- include "spark-common.checkIds" (dict "texts" .annotations "from" .from "use" "Spark does in executor.annotations alone, and in cluster mode's driver.annotations") -}}
{{- end }}

{{- define "spark-common.shortened" -}}
{{- if le (len .name) (int .most) -}}
{{- .name -}}
{{- else -}}
{{- printf "%s-%s" (trunc (sub .most 9 | int) .name | trimSuffix "-") (sha256sum .name | trunc 8) -}}
{{- end -}}
{{- end }}
