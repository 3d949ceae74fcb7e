{{/*
What is refused of a pod template of the user's, before it is merged (by a chart's checks) and after (by spark-common.mergePod).

  spark-common.checkPodTemplate  refuses labels, annotations and variables that are not text, lists that are none, items of a
                          list without a name or with one twice, and what has values of its own. Call with a dict: template,
                          from (its name in values), spec and container (maps: a field of the spec, or of one of the chart's
                          containers, and the value to use instead), names (of the chart's containers)
  spark-common.checkOwned refuses a template that takes the place of a volume or a variable of the chart's; call with a dict:
                          pod, template, from, given (names of volumes and variables in the pod that are the user's too)
  spark-common.checkOnce  refuses a pod in which a name or a path stands twice, or a volume is mounted where no file can be
                          added; call with a dict: pod, whose ("driver"), others (a list of what else has a volume's name and
                          mountPath in the pod; sealed: what to do instead, if no other volume can be mounted below it)
*/}}

{{- define "spark-common.checkPodTemplate" -}}
{{- $from := .from -}}
{{- $metadata := .template.metadata | default dict -}}
{{- range $key := keys $metadata | sortAlpha -}}
{{- if not (has $key (list "labels" "annotations")) -}}
{{- fail (printf "%s sets metadata.%s, which the chart sets itself: only labels and annotations may be given" $from $key) -}}
{{- end -}}
{{- end -}}
{{- range $key := list "labels" "annotations" -}}
{{- if hasKey $metadata $key -}}
{{- include "spark-common.checkKind" (dict "value" (get $metadata $key) "kind" "map" "from" (printf "%s.metadata.%s" $from $key)) -}}
{{- range $name, $value := get $metadata $key -}}
{{- include "spark-common.checkKind" (dict "value" $value "kind" "string" "from" (printf "%s.metadata.%s.%s" $from $key $name)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if hasKey ($metadata.annotations | default dict) "checksum/config" -}}
{{- fail (printf "%s.metadata.annotations sets checksum/config, which the chart sets itself: take another key" $from) -}}
{{- end -}}
{{- $spec := .template.spec | default dict -}}
{{- include "spark-common.checkUse" (dict "map" $spec "use" .spec "from" $from "what" "spec.%s") -}}
{{- range $key := list "containers" "initContainers" "volumes" "imagePullSecrets" -}}
{{- include "spark-common.checkNamed" (dict "map" $spec "key" $key "from" (printf "%s.spec" $from)) -}}
{{- end -}}
{{- range $list := list "containers" "initContainers" -}}
{{- range get $spec $list | default list -}}
{{- $from := printf "%s.spec.%s %s" $from $list .name -}}
{{- if and (eq $list "containers") (has .name $.names) -}}
{{- include "spark-common.checkUse" (dict "map" . "use" $.container "from" $.from "what" (printf "%%s of container %s" .name)) -}}
{{- end -}}
{{- include "spark-common.checkNamed" (dict "map" . "key" "env" "from" $from) -}}
{{- include "spark-common.checkNamed" (dict "map" . "key" "volumeMounts" "from" $from) -}}
{{- range .env -}}
{{- if hasKey . "value" -}}
{{- include "spark-common.checkKind" (dict "value" .value "kind" "string" "from" (printf "%s.env %s" $from .name)) -}}
{{- end -}}
{{- end -}}
{{- $container := . -}}
{{- range $key := list "resources" "securityContext" -}}
{{- if hasKey $container $key -}}
{{- include "spark-common.checkKind" (dict "value" (get $container $key) "kind" "map" "from" (printf "%s.%s" $from $key)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
Checks a list, if the map has it: each item is a map with a name. A name stands once, but in volumeMounts. Call with a dict: map,
key, from.
*/}}
{{- define "spark-common.checkNamed" -}}
{{- if hasKey .map .key -}}
{{- $from := printf "%s.%s" .from .key -}}
{{- include "spark-common.checkKind" (dict "value" (get .map .key) "kind" "slice" "from" $from) -}}
{{- $names := list -}}
{{- range get .map .key -}}
{{- include "spark-common.checkKind" (dict "value" . "kind" "map" "from" (printf "an item of %s" $from)) -}}
{{- if not (hasKey . "name") -}}
{{- fail (printf "an item of %s has no name: give it one" $from) -}}
{{- end -}}
{{- include "spark-common.checkKind" (dict "value" .name "kind" "string" "from" (printf "the name of an item of %s" $from)) -}}
{{- if and (has .name $names) (ne $.key "volumeMounts") -}}
{{- fail (printf "%s has two named %q: give each its own name" $from .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Refuses a value of another kind; call with a dict: value, kind ("map", "slice", "string"), from. */}}
{{- define "spark-common.checkKind" -}}
{{- if not (kindIs .kind .value) -}}
{{- fail (printf "%s is %s, where Kubernetes takes %s" .from (toJson .value) (get (dict "map" "a map" "slice" "a list" "string" "text: quote it") .kind)) -}}
{{- end -}}
{{- end }}

{{/*
Refuses fields that have values of their own; call with a dict: map, use (a field and the value to use instead), from, what (a
format of the field's name).
*/}}
{{- define "spark-common.checkUse" -}}
{{- range $key := keys .map | sortAlpha -}}
{{- if hasKey $.use $key -}}
{{- fail (printf "%s sets %s, which the chart sets itself; %s" $.from (printf $.what $key) (get $.use $key | include "spark-common.instead")) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkOwned" -}}
{{- $from := .from -}}
{{- $free := .given -}}
{{- range include "spark-common.scratchVolumes" . | fromYamlArray -}}
{{- $free = append $free .name -}}
{{- end -}}
{{- $volumes := include "spark-common.names" .pod.spec.volumes | fromJsonArray -}}
{{- range (.template.spec).volumes -}}
{{- if and (has .name $volumes) (not (has .name $free)) -}}
{{- fail (printf "%s has a volume named %q, which the chart sets itself: give it another name" $from .name) -}}
{{- end -}}
{{- end -}}
{{- $variables := dict -}}
{{- range .pod.spec.containers -}}
{{- $_ := set $variables .name (include "spark-common.names" .env | fromJsonArray) -}}
{{- end -}}
{{- range (.template.spec).containers -}}
{{- $own := get $variables .name -}}
{{- range .env -}}
{{- if and (has .name $own) (not (has .name $free)) -}}
{{- fail (printf "%s sets %s, which the chart sets itself: take another name" $from .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkOnce" -}}
{{- $whose := .whose -}}
{{- $others := .others | default list -}}
{{- $inits := .pod.spec.initContainers | default list -}}
{{- with include "spark-common.twice" (concat .pod.spec.containers $inits) -}}
{{- fail (printf "the %s's pod has two containers named %q, of which one may be the chart's: give each its own name" $whose .) -}}
{{- end -}}
{{- with include "spark-common.twice" (concat (.pod.spec.volumes | default list) $others) -}}
{{- fail (printf "the %s's pod has two volumes named %q, of which one may be the chart's: give each its own name" $whose .) -}}
{{- end -}}
{{- $sealed := dict -}}
{{- range concat (.pod.spec.volumes | default list) $others -}}
{{- if or .configMap .secret .projected .downwardAPI .sealed -}}
{{- $_ := set $sealed .name . -}}
{{- end -}}
{{- end -}}
{{- range .pod.spec.containers -}}
{{- include "spark-common.checkContainer" (dict "container" . "whose" $whose "sealed" $sealed "mounts" (concat (.volumeMounts | default list) $others)) -}}
{{- end -}}
{{- range $inits -}}
{{- include "spark-common.checkContainer" (dict "container" . "whose" $whose "sealed" $sealed "mounts" (.volumeMounts | default list)) -}}
{{- end -}}
{{- end }}

{{/* call with a dict: container, whose, mounts, sealed (volumes in which no file can be made, by name) */}}
{{- define "spark-common.checkContainer" -}}
{{- $whose := .whose -}}
{{- $name := .container.name -}}
{{- with include "spark-common.twice" .container.env -}}
{{- fail (printf "container %s of the %s's pod has two variables named %q, of which one is the chart's: give yours another name" $name $whose .) -}}
{{- end -}}
{{- with include "spark-common.twice" .container.ports -}}
{{- fail (printf "container %s of the %s's pod has two ports named %q, of which one may be the chart's: give each its own name" $name $whose .) -}}
{{- end -}}
{{- $paths := list -}}
{{- range .mounts -}}
{{- $paths = append $paths (dict "name" (.mountPath | default .name | toString | clean)) -}}
{{- end -}}
{{- with include "spark-common.twice" $paths -}}
{{- fail (printf "container %s of the %s's pod mounts two volumes at %s, of which one may be the chart's: give each its own path" $name $whose .) -}}
{{- end -}}
{{- range $outer := .mounts -}}
{{- range $inner := hasKey $.sealed $outer.name | ternary $.mounts list -}}
{{- $folder := printf "%s/" ($outer.mountPath | toString | clean) -}}
{{- $path := $inner.mountPath | toString | clean -}}
{{- if hasPrefix $folder $path -}}
{{- include "spark-common.checkBelow" (dict "container" $name "whose" $whose "inner" $inner.name "path" $path "outer" (get $.sealed $outer.name) "folder" $folder) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
Refuses a mount in a volume that has no file of that name: the kubelet can make none there, and the container would not start.
Call with a dict: container, whose, inner (the mount's volume), path, outer (the volume around it), folder (where that is).
*/}}
{{- define "spark-common.checkBelow" -}}
{{- $source := .outer.configMap | default .outer.secret | default dict -}}
{{- $made := false -}}
{{- range $source.items -}}
{{- if eq .path (trimPrefix $.folder $.path) -}}
{{- $made = true -}}
{{- end -}}
{{- end -}}
{{- if not $made -}}
{{- $cure := .outer.sealed | default (printf "mount it elsewhere, or the files of volume %s one by one with subPath" .outer.name) -}}
{{- fail (printf "container %s of the %s's pod mounts volume %s at %s, below volume %s at %s, where Kubernetes can add no file: %s" .container .whose .inner .path .outer.name (trimSuffix "/" .folder) $cure) -}}
{{- end -}}
{{- end }}

{{/* The first name that stands twice in a list of maps, or nothing; call with the list. */}}
{{- define "spark-common.twice" -}}
{{- $names := dict -}}
{{- $found := "" -}}
{{- range . -}}
{{- with .name -}}
{{- if hasKey $names . -}}
{{- $found = $found | default . -}}
{{- end -}}
{{- $_ := set $names . true -}}
{{- end -}}
{{- end -}}
{{- $found -}}
{{- end }}

{{/* Names of the items of a list, as a JSON list; call with the list. */}}
{{- define "spark-common.names" -}}
{{- $names := list -}}
{{- range . -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}
