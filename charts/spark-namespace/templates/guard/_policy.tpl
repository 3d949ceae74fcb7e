{{/*
spark-namespace.hasGuard   "true" where the guard is asked for and the cluster can have it; call with the root
spark-namespace.guardedSecrets  Secrets that pods may use: those that values list, that of the hardened preset, and that of the
                           event logs' store; call with the root
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
{{- $shared := eq $security.profile "hardened" | ternary $security.authSecret.name "" -}}
{{- list $shared .Values.global.eventLog.secret.name | concat .Values.guard.secrets | uniq | compact | toYaml -}}
{{- end }}
