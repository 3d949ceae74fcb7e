{{/*
The reference of the image in .Values.image. Call with the root ($).
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
