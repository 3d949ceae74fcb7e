{{/*
The image in .Values.image.

  spark-common.image        its reference; call with the root ($)
  spark-common.pullSecrets  what a pod pulls it with; call with .Values.image.pullSecrets

global.imageRegistry, where set, takes the place of image.registry; a digest wins over a tag; the default tag is the
official image of the chart's Spark version with Python.
*/}}
{{- define "spark-common.image" -}}
{{- $image := .Values.image -}}
{{- $registry := (.Values.global).imageRegistry | default $image.registry -}}
{{- $name := empty $registry | ternary $image.repository (printf "%s/%s" $registry $image.repository) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default (printf "%s-python3" .Chart.AppVersion)) -}}
{{- end -}}
{{- end }}

{{- define "spark-common.pullSecrets" -}}
{{- with . -}}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end -}}
{{- end }}
