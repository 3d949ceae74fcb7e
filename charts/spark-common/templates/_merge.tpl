{{/*
A pod template of the user's, merged into a pod of a chart: the last thing that the chart does to it. What is refused stands
in _pod-template.tpl.

  spark-common.mergePod   refuses a pod in which a name or a path stands twice. Call with a dict: pod (its YAML: metadata, spec),
                          template (the user's: metadata, spec), from (the template's name in values), whose pod it is
                          ("driver"), given (names of the
                          volumes and variables in pod that are the user's too), others (a list of what else has a volume's
                          name and mountPath in the pod: what Spark adds). Gives YAML: metadata, spec

Maps are merged: what the user gives wins, and false and 0 count (Helm's own merge takes them for absent). Containers of one
name are merged. A pull Secret of the user's replaces the chart's of that name; so does a volume, of scratch data or of the
user's own volumes, and a variable of the user's own. Other lists that stand directly in the spec or in a container are appended
to; a list inside a map replaces the chart's. A key without a value is left out of metadata, of the spec and of each container;
deeper, it stays as null.

For example, these two

  spec:                                       spec:
    hostUsers: true                             hostUsers: false
    containers:                                 containers:
      - name: driver                              - name: driver
        env: [{ name: A, value: x }]                env: [{ name: B, value: y }]
    volumes:                                    volumes:
      - { name: tmp, emptyDir: {} }               - { name: tmp, emptyDir: { medium: Memory } }

give

  spec:
    hostUsers: false
    containers:
      - name: driver
        env: [{ name: A, value: x }, { name: B, value: y }]
    volumes:
      - { name: tmp, emptyDir: { medium: Memory } }
*/}}
{{- define "spark-common.mergePod" -}}
{{- $pod := fromYaml .pod -}}
{{- if hasKey $pod "Error" -}}
{{- fail (printf "the values beside %s make no YAML: %s" .from $pod.Error) -}}
{{- end -}}
{{- $extra := .template -}}
{{- include "spark-common.checkOwned" (dict "pod" $pod "template" $extra "from" .from "given" .given) -}}
{{- include "spark-common.overlay" (dict "base" $pod.metadata "extra" ($extra.metadata | default dict)) -}}
{{- range $key, $value := $extra.spec | default dict -}}
{{- if has $key (list "containers" "initContainers") -}}
{{- include "spark-common.mergeContainers" (dict "into" $pod.spec "key" $key "extra" $value) -}}
{{- else if has $key (list "volumes" "imagePullSecrets") -}}
{{- include "spark-common.replaceNamed" (dict "into" $pod.spec "key" $key "extra" $value) -}}
{{- else -}}
{{- include "spark-common.append" (dict "into" $pod.spec "key" $key "extra" $value) -}}
{{- end -}}
{{- end -}}
{{- range concat (list $pod.metadata $pod.spec) $pod.spec.containers ($pod.spec.initContainers | default list) -}}
{{- include "spark-common.leaveOutEmpty" . -}}
{{- end -}}
{{- include "spark-common.checkOnce" (dict "pod" $pod "whose" .whose "others" .others) -}}
{{- toYaml $pod -}}
{{- end }}

{{/* A map laid over another, deeply; call with a dict: base, extra. Changes base. */}}
{{- define "spark-common.overlay" -}}
{{- range $key, $value := .extra -}}
{{- $own := get $.base $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $own) -}}
{{- include "spark-common.overlay" (dict "base" $own "extra" $value) -}}
{{- else -}}
{{- $_ := set $.base $key $value -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A value laid over that of a key, or appended to it if both are lists; call with a dict: into (a map), key, extra. */}}
{{- define "spark-common.append" -}}
{{- $own := get .into .key -}}
{{- if and (kindIs "slice" .extra) (kindIs "slice" $own) -}}
{{- $_ := set .into .key (concat $own .extra) -}}
{{- else -}}
{{- include "spark-common.overlay" (dict "base" .into "extra" (dict .key .extra)) -}}
{{- end -}}
{{- end }}

{{/* Adds named items to the list of a key; one replaces what has its name there. Call with a dict: into (a map), key, extra. */}}
{{- define "spark-common.replaceNamed" -}}
{{- $names := list -}}
{{- range .extra -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- $kept := list -}}
{{- range get .into .key | default list -}}
{{- if not (has .name $names) -}}
{{- $kept = append $kept . -}}
{{- end -}}
{{- end -}}
{{- $_ := set .into .key (concat $kept .extra) -}}
{{- end }}

{{/* Containers merged with those of a key; call with a dict: into (a map), key, extra. */}}
{{- define "spark-common.mergeContainers" -}}
{{- $own := dict -}}
{{- $all := get .into .key | default list -}}
{{- range $all -}}
{{- $_ := set $own .name . -}}
{{- end -}}
{{- range $item := .extra -}}
{{- with get $own $item.name -}}
{{- range $key, $value := $item -}}
{{- $into := get $own $item.name -}}
{{- include (eq $key "env" | ternary "spark-common.replaceNamed" "spark-common.append") (dict "into" $into "key" $key "extra" $value) -}}
{{- end -}}
{{- else -}}
{{- $all = append $all $item -}}
{{- end -}}
{{- end -}}
{{- $_ := set .into .key $all -}}
{{- end }}

{{/* Removes the keys of a map that have no value; call with the map. */}}
{{- define "spark-common.leaveOutEmpty" -}}
{{- range $key := keys . -}}
{{- if kindIs "invalid" (get $ $key) -}}
{{- $_ := unset $ $key -}}
{{- end -}}
{{- end -}}
{{- end }}
