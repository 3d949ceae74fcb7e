{{/*
spark-namespace.hasGuard   "true" where the guard is asked for and the cluster can have it; call with the root
spark-namespace.guardedSecrets  Secrets that pods may use: those that values list, and that of the hardened preset; call with
                           the root
spark-namespace.guard      its name: policy and binding are of the whole cluster, so it carries the namespace
*/}}

{{- define "spark-namespace.hasGuard" -}}
{{- if ne (toString .Values.guard.enabled) "false" -}}
{{- if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version -}}
true
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-namespace.guard" -}}
kindling-guard-{{ include "spark-namespace.name" . }}
{{- end }}

{{- define "spark-namespace.guardedSecrets" -}}
{{- $security := .Values.global.security -}}
{{- eq $security.profile "hardened" | ternary (list $security.authSecret.name) list | concat .Values.guard.secrets | uniq | toYaml -}}
{{- end }}
