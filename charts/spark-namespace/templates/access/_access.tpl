{{/*
What people get, and who they are.

  spark-namespace.readRules       what one sees of the namespace: no Secret, and no ConfigMap, which holds the sources of
                                  applications and, with HELM_DRIVER=configmap, the values of releases
  spark-namespace.accessBinding   binds the Role of a key of `access` to those that the key names; call with a dict: root, key
  spark-namespace.subjects        users, groups and service accounts as subjects of a binding; call with a dict of those
  spark-namespace.needed          not empty if the Role of a key of `access` is bound; call with a dict: root, key
*/}}

{{- define "spark-namespace.readRules" -}}
- apiGroups: [""]
  resources: [pods, events]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [get, list, watch]
# What keeps the pod of a driver that lasts: a notebook's.
- apiGroups: [apps]
  resources: [statefulsets, deployments, replicasets]
  verbs: [get, list]
# Why a queue of Kueue holds a Job, and which queues there are.
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads, localqueues]
  verbs: [get, list]
# What is left for a run to ask for, and what it is given.
- apiGroups: [""]
  resources: [resourcequotas, limitranges]
  verbs: [get, list]
# An application's UI, by spark-ui-proxy.
- apiGroups: [kindling.local]
  resources: [applications]
  verbs: [get]
{{- end }}

{{- define "spark-namespace.accessBinding" -}}
{{- $who := get .root.Values.access .key -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: access-{{ .key }}
  namespace: {{ include "spark-namespace.name" .root | quote }}
  labels:
    {{- include "spark-common.labels" (dict "root" .root "component" .key) | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: access-{{ .key }}
subjects:
  {{- include "spark-namespace.subjects" $who | nindent 2 }}
{{- end }}

{{- define "spark-namespace.subjects" -}}
{{- range .users }}
- apiGroup: rbac.authorization.k8s.io
  kind: User
  name: {{ quote . }}
{{- end }}
{{- range .groups }}
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: {{ quote . }}
{{- end }}
{{- range .serviceAccounts }}
- kind: ServiceAccount
  name: {{ quote .name }}
  namespace: {{ quote .namespace }}
{{- end }}
{{- end }}

{{- define "spark-namespace.needed" -}}
{{- include "spark-namespace.anyone" (get .root.Values.access .key) -}}
{{- range .root.Values.accounts -}}
{{- if eq $.key (printf "%ss" .role) -}}true{{- end -}}
{{- end -}}
{{- end }}

{{/* Not empty if a key of `access` names anyone; call with its value. */}}
{{- define "spark-namespace.anyone" -}}
{{- if or .users .groups .serviceAccounts -}}true{{- end -}}
{{- end }}

{{/* Who must not be named; and Roles have names that no account has. */}}
{{- define "spark-namespace.accessChecks" -}}
{{- range $name := list "access-submitters" "access-viewers" "ui-proxy" -}}
{{- if has $name (values $.Values.global.serviceAccounts) -}}
{{- fail (printf "global.serviceAccounts names an account %s, as a Role of the chart is named: take another name" $name) -}}
{{- end -}}
{{- end -}}
{{- range $key, $who := .Values.access -}}
{{- include "spark-namespace.whoChecks" (dict "root" $ "key" (printf "access.%s" $key) "who" $who) -}}
{{- end -}}
{{- end }}

{{/* Who must not be named, wherever users, groups and service accounts are; call with a dict: root, key, who. */}}
{{- define "spark-namespace.whoChecks" -}}
{{- $key := .key -}}
{{- $namespace := include "spark-namespace.name" .root -}}
{{- range $kind := list "users" "groups" -}}
{{- range index $.who $kind -}}
{{- if hasPrefix "system:" . -}}
{{- fail (printf "%s.%s names %s, which Kubernetes itself gives out, to all the world perhaps: name your own, and service accounts in %s.serviceAccounts" $key $kind . $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range .who.serviceAccounts -}}
{{- if eq .namespace $namespace -}}
{{- fail (printf "%s.serviceAccounts names %s of the team's own namespace, which any pod there can take: take an account of another namespace" $key .name) -}}
{{- end -}}
{{- end -}}
{{- end }}
