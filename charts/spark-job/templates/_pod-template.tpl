{{/*
spark-job.mergePod: the podTemplate of a role merged into its pod, by spark-common.mergePod. Call with a dict: root, role ("driver",
"executor" or "submitter"), pod (its YAML).
*/}}
{{- define "spark-job.mergePod" -}}
{{- $values := get .root.Values .role -}}
{{- $given := append (keys $values.env) (include "spark-job.scratch" .) -}}
{{- /* Spark adds its configuration to cluster mode's driver, and claims on demand to executors; the submitter copies files. */ -}}
{{- $others := list -}}
{{- if and (eq .role "driver") (eq .root.Values.mode "cluster") -}}
{{- $others = append $others (dict "name" "spark-conf-volume-driver" "mountPath" "/opt/spark/conf") -}}
{{- else if eq .role "submitter" -}}
{{- $others = append $others (dict "name" "kindling-copy" "mountPath" "/tmp/kindling") -}}
{{- end -}}
{{- range .root.Values.volumes -}}
{{- $given = append $given .name -}}
{{- if and .onDemand (eq $.role "executor") (include "spark-job.isMounted" (dict "volume" . "role" "executor")) -}}
{{- $others = append $others . -}}
{{- end -}}
{{- end -}}
{{- include "spark-common.mergePod" (dict "pod" .pod "template" $values.podTemplate "from" (printf "%s.podTemplate" .role) "whose" .role "given" $given "others" $others) -}}
{{- end }}
