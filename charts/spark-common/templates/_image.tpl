{{/*
The images that values name: .Values.image, and, where a chart has it, that of a role, .Values.executor.image, in which what is
empty is as .Values.image says. global.imageRegistry, where set, takes the place of any registry; a digest wins over a tag.

A released package names its own image by digest: scripts/release writes that beside the image's name in Chart.yaml, under
artifacthub.io/images. It holds for that image alone, whichever registry it comes from: whoever gives another repository,
or a tag, gets what they name.

  spark-common.image           reference of .Values.image; the default tag is the official image of the chart's Spark version
                               with Python; call with the root ($)
  spark-common.imageReference  the same with another default; call with a dict: root, tag
  spark-common.roleImage       reference of a role's image; call with a dict: root, role
  spark-common.roleImageValues  its registry, repository, tag and digest, JSON; call with a dict: root, role
  spark-common.hasOwnImage     "true" if values give the role an image of its own; call with a dict: root, role
  spark-common.pullSecrets     what a pod pulls it with; call with .Values.image.pullSecrets
*/}}
{{- define "spark-common.image" -}}
{{- include "spark-common.imageReference" (dict "root" . "tag" (printf "%s-python3" .Chart.AppVersion)) -}}
{{- end }}

{{- define "spark-common.imageReference" -}}
{{- include "spark-common.reference" (merge (dict "image" .root.Values.image) .) -}}
{{- end }}

{{- define "spark-common.roleImage" -}}
{{- $image := include "spark-common.roleImageValues" . | fromJson -}}
{{- include "spark-common.reference" (dict "root" .root "image" $image "tag" (printf "%s-python3" .root.Chart.AppVersion)) -}}
{{- end }}

{{- define "spark-common.roleImageValues" -}}
{{- $image := .root.Values.image -}}
{{- $own := (get .root.Values .role | default dict).image | default dict -}}
{{- /* A digest is that of one image: it does not go with another name or tag. */ -}}
{{- $shared := or $own.repository $own.tag | empty | ternary $image.digest "" -}}
{{- dict "registry" ($own.registry | default $image.registry) "repository" ($own.repository | default $image.repository) "tag" ($own.tag | default $image.tag) "digest" ($own.digest | default $shared) | toJson -}}
{{- end }}

{{- define "spark-common.hasOwnImage" -}}
{{- range $part := (get .root.Values .role).image | default dict -}}
{{- if $part -}}
true
{{- break -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.reference" -}}
{{- $image := .image -}}
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
