{{/*
Service accounts of people and CI systems.

  spark-namespace.accountMetadata   of an object of an account; call with a dict: root, name
  spark-namespace.accountChecks     names that stand for something else; call with the root
*/}}

{{- define "spark-namespace.accountMetadata" -}}
metadata:
  name: {{ .name | quote }}
  namespace: {{ include "spark-namespace.name" .root | quote }}
  labels:
    {{- include "spark-common.labels" (dict "root" .root "component" "accounts") | nindent 4 }}
{{- end }}

{{- define "spark-namespace.accountChecks" -}}
{{- $taken := append (values .Values.global.serviceAccounts) "default" -}}
{{- range .Values.driver.accounts -}}
{{- if has .name $taken -}}
{{- fail (printf "driver.accounts names %s twice, or as a service account of another use: take another name" .name) -}}
{{- end -}}
{{- $taken = append $taken .name -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" .annotations "from" (printf "driver.accounts: annotations of %s" .name)) -}}
{{- end -}}
{{- range $account := .Values.accounts -}}
{{- if has .name $taken -}}
{{- fail (printf "accounts names %s twice, or as a service account of another use: take another name" .name) -}}
{{- end -}}
{{- $taken = concat $taken (list .name (printf "account-%s" .name) (printf "tokens-of-%s" .name)) -}}
{{- with .owners -}}
{{- include "spark-namespace.whoChecks" (dict "root" $ "key" (printf "accounts: owners of %s" $account.name) "who" .) -}}
{{- end -}}
{{- end -}}
{{- range .Values.accounts -}}
{{- range list (printf "account-%s" .name) (printf "tokens-of-%s" .name) -}}
{{- if has . (values $.Values.global.serviceAccounts) -}}
{{- fail (printf "global.serviceAccounts names an account %s, as a Role or binding of accounts is named: take another name" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
