{{/*
The ids that Spark writes into annotations of pods that it makes, in the place of APP_ID and EXECUTOR_ID in two pairs of braces. It
does so where its own settings name the annotation, not in a pod template.

  spark-common.idAnnotations  Spark configuration for annotations with such ids, a map; call with a dict: annotations, role
  spark-common.hasIds         "true" if a text has one; call with the text
  spark-common.checkIds       refuses ids in what nobody replaces; call with a dict: texts (name -> text or another value), from, use
                              (what to do instead)
  spark-common.checkRoleIds   the same for a role: annotations, env, pod template; call with a dict: root, role
*/}}

{{- define "spark-common.hasIds" -}}
{{- if kindIs "string" . | ternary . "" | regexMatch "\\{\\{(APP_ID|EXECUTOR_ID)\\}\\}" -}}true{{- end -}}
{{- end }}

{{- define "spark-common.idAnnotations" -}}
{{- range $key, $value := .annotations }}
{{- if include "spark-common.hasIds" $value }}
{{ printf "spark.kubernetes.%s.annotation.%s" $.role $key | quote }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spark-common.checkIds" -}}
{{- range $name := keys (.texts | default dict) | sortAlpha -}}
{{- $text := get $.texts $name -}}
{{- if include "spark-common.hasIds" $text -}}
{{- fail (printf "%s sets %s to %q, whose id nobody replaces there: %s" $.from $name $text $.use) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.checkRoleIds" -}}
{{- $role := .role -}}
{{- $values := get .root.Values $role -}}
{{- $annotate := printf "%s.annotations" $role -}}
{{- $read := "executors have SPARK_APPLICATION_ID and SPARK_EXECUTOR_ID, and an application knows its id (sparkContext.applicationId)" -}}
{{- include "spark-common.checkIds" (dict "texts" $values.env "from" (printf "%s.env" $role) "use" $read) -}}
{{- include "spark-common.checkIds" (dict "texts" (($values.podTemplate).metadata).annotations "from" (printf "%s.podTemplate" $role) "use" (printf "use %s" $annotate)) -}}
{{- range concat ((($values.podTemplate).spec).containers | default list) ((($values.podTemplate).spec).initContainers | default list) -}}
{{- range .env -}}
{{- include "spark-common.checkIds" (dict "texts" (dict .name .value) "from" (printf "%s.podTemplate" $role) "use" $read) -}}
{{- end -}}
{{- end -}}
{{- if eq $role "driver" -}}
{{- if ne (toString (get .root.Values "mode")) "cluster" -}}
{{- include "spark-common.checkIds" (dict "texts" $values.annotations "from" $annotate "use" "the pod is there before Spark has an id, which is spark- and the pod's uid; use executor.annotations") -}}
{{- end -}}
{{- range $name, $text := $values.annotations -}}
{{- if contains "{{EXECUTOR_ID}}" $text -}}
{{- fail (printf "%s sets %s to %q, and a driver has no executor's id: write {{APP_ID}}" $annotate $name $text) -}}
{{- end -}}
{{- end -}}
{{- else if eq (toString (get $values "allocator")) "statefulset" -}}
{{- range $name, $text := $values.annotations -}}
{{- if contains "{{EXECUTOR_ID}}" $text -}}
{{- fail (printf "%s sets %s to %q, and executor.allocator is \"statefulset\", whose pods are all made alike: leave it out, or take allocator direct" $annotate $name $text) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
