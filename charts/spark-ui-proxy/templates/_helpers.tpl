{{/*
spark-ui-proxy.clusterRole   name of the ClusterRole and its binding: cluster objects of two releases must not meet
spark-ui-proxy.watchesCluster  "true" where pods of the whole cluster are listed, or nothing
spark-ui-proxy.ownRoles      the namespaces in which this chart makes a Role, a list
spark-ui-proxy.logouts       name of the ConfigMap that says who has logged out, and of the right to it
spark-ui-proxy.config        the service's configuration: what src/spark_ui_proxy/config.py reads
spark-ui-proxy.hosts         the hosts of an Ingress or HTTPRoute, a list; call with a dict: root, host
spark-ui-proxy.scheme        http or https, of the pods themselves
spark-ui-proxy.labels        of an object
spark-ui-proxy.selector      of the pods
*/}}

{{- define "spark-ui-proxy.clusterRole" -}}
{{- printf "%s:%s" .Release.Namespace .Release.Name -}}
{{- end }}

{{- define "spark-ui-proxy.ownRoles" -}}
{{- .Values.rbac.roles | ternary (append .Values.namespaces.names .Values.history.shared) list | compact | uniq | toYaml -}}
{{- end }}

{{- define "spark-ui-proxy.logouts" -}}
{{- printf "%s-logouts" .Release.Name -}}
{{- end }}

{{- define "spark-ui-proxy.watchesCluster" -}}
{{- if or .Values.namespaces.all .Values.namespaces.selector -}}true{{- end -}}
{{- end }}

{{- define "spark-ui-proxy.labels" -}}
{{- include "spark-common.labels" (dict "root" .) -}}
{{- end }}

{{- define "spark-ui-proxy.selector" -}}
{{- include "spark-common.podLabels" (dict "root" . "component" "proxy") -}}
{{- end }}

{{- define "spark-ui-proxy.scheme" -}}
{{- empty .Values.tls.secretName | ternary "http" "https" -}}
{{- end }}

{{- define "spark-ui-proxy.hosts" -}}
{{- if eq .root.Values.hosts.mode "namespace" -}}
{{- list .root.Values.hosts.domain (printf "*.%s" .root.Values.hosts.domain) | toYaml -}}
{{- else -}}
{{- list .host | toYaml -}}
{{- end -}}
{{- end }}

{{- define "spark-ui-proxy.config" -}}
{{- with .Values -}}
basePath: {{ quote .basePath }}
namespaces:
  names: {{ toJson .namespaces.names }}
  selector: {{ quote .namespaces.selector }}
  all: {{ .namespaces.all }}
permission:
  resource: {{ .permission.resource }}
  reviews: {{ .rbac.reviews }}
  allowSeconds: {{ .permission.allowSeconds }}
  denySeconds: {{ .permission.denySeconds }}
login:
  mode: {{ .login.mode }}
  sessionSeconds: {{ int64 .login.sessionSeconds }}
  reviewSeconds: {{ int64 .login.reviewSeconds }}
  logouts: {{ printf "%s/%s" $.Release.Namespace (include "spark-ui-proxy.logouts" $) | quote }}
  sessionKeyFile: /etc/spark-ui-proxy/session-key/{{ .login.sessionKey.key }}
  secureCookie: {{ .login.secureCookie }}
  audiences: {{ toJson .login.audiences }}
  header:
    user: {{ quote .login.header.user }}
    groups: {{ quote .login.header.groups }}
    separator: {{ quote .login.header.separator }}
    userPrefix: {{ quote .login.header.userPrefix }}
    groupPrefix: {{ quote .login.header.groupPrefix }}
    {{- if .login.header.secret.secretName }}
    proof: secret
    secretHeader: {{ quote .login.header.secret.header }}
    secretFile: /etc/spark-ui-proxy/header-secret/{{ .login.header.secret.key }}
    {{- else }}
    proof: mtls
    {{- end }}
hosts:
  mode: {{ .hosts.mode }}
  domain: {{ quote .hosts.domain }}
limits:
  perUser: {{ .limits.perUser }}
  perApplication: {{ .limits.perApplication }}
  podNetworks: {{ toJson .limits.podNetworks }}
kill: {{ .kill }}
# nginx serves for five seconds more, and then ends what it has begun.
drainSeconds: 10
sharedHistory: {{ quote .history.shared }}
{{- with .tls }}
{{- if .secretName }}
tls:
  certificate: /etc/spark-ui-proxy/tls/tls.crt
  key: /etc/spark-ui-proxy/tls/tls.key
  {{- if .clientCA }}
  clientCa: /etc/spark-ui-proxy/client-ca/ca.crt
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
