{{/*
The image in .Values.image. global.imageRegistry, where set, takes the place of image.registry; a digest wins over a tag.

  spark-common.image           its reference; the default tag is the official image of the chart's Spark version with
                               Python; call with the root ($)
  spark-common.imageReference  the same with another default; call with a dict: root, tag
  spark-common.pullSecrets     what a pod pulls it with; call with .Values.image.pullSecrets
*/}}
{{- define "spark-common.image" -}}
{{- include "spark-common.imageReference" (dict "root" . "tag" (printf "%s-python3" .Chart.AppVersion)) -}}
{{- end }}

{{- define "spark-common.imageReference" -}}
{{- $image := .root.Values.image -}}
{{- $registry := (.root.Values.global).imageRegistry | default $image.registry -}}
{{- $name := empty $registry | ternary $image.repository (printf "%s/%s" $registry $image.repository) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default .tag) -}}
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
