{{/*
The image in .Values.image. global.imageRegistry, where set, takes the place of image.registry; a digest wins over a tag.

A released package names its own image by digest: scripts/release writes that beside the image's name in Chart.yaml, under
artifacthub.io/images. It holds for that image alone, whichever registry it comes from: whoever gives another repository,
or a tag, gets what they name.

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
{{- $own := regexQuoteMeta (printf "/%s:%s@" $image.repository .tag) -}}
{{- $pinned := regexFind (printf "image: [^/ ]+%ssha256:[0-9a-f]{64}" $own) (index .root.Chart.Annotations "artifacthub.io/images") -}}
{{- $digest := $image.digest | default (empty $image.tag | ternary (regexFind "sha256:.*" $pinned) "") -}}
{{- if $digest -}}
{{- printf "%s@%s" $name $digest -}}
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
