{{/*
Rules of NetworkPolicies.

  spark-common.networkRule  peers and ports of a rule; call with a dict: side ("from", "to"), peer (namespaces, podLabels,
                            cidrs, ports, protocols)
  spark-common.isolatedApplications  spec of the policy of a release whose applications are isolated: its own pods alone
                            reach their ports; call with the root
  spark-common.checkPeers   refuses peers that name nobody; call with a dict: peers (name -> peer), from (their name in
                            values)
*/}}

{{- define "spark-common.networkRule" -}}
{{ .side }}:
  {{- range .peer.namespaces }}
  - namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: {{ . | quote }}
    {{- with $.peer.podLabels }}
    podSelector:
      matchLabels:
        {{- toYaml . | nindent 8 }}
    {{- end }}
  {{- end }}
  {{- range .peer.cidrs }}
  - ipBlock:
      cidr: {{ . | quote }}
  {{- end }}
ports:
  {{- range $port := .peer.ports }}
  {{- range $.peer.protocols | default (list "TCP") }}
  - { port: {{ $port }}, protocol: {{ . }} }
  {{- end }}
  {{- end }}
{{- end }}

{{- define "spark-common.checkPeers" -}}
{{- range $name, $peer := .peers -}}
{{- if not (or $peer.namespaces $peer.cidrs) -}}
{{- fail (printf "%s.%s names nobody, which Kubernetes reads as everybody: give it namespaces or cidrs" $.from $name) -}}
{{- end -}}
{{- if and $peer.podLabels (not $peer.namespaces) -}}
{{- fail (printf "%s.%s has podLabels but no namespaces to look for them in: give it namespaces" $.from $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-common.isolatedApplications" -}}
podSelector:
  {{- include "spark-common.isolated" . | nindent 2 }}
policyTypes: [Ingress]
ingress:
  - from:
      - podSelector:
          {{- include "spark-common.isolated" . | nindent 10 }}
    ports:
      {{- include "spark-common.applicationPorts" . | nindent 6 }}
{{- end }}

{{- define "spark-common.isolated" -}}
matchLabels:
  {{- include "spark-common.podLabels" (dict "root" .) | nindent 2 }}
  kindling.local/isolated: "true"
{{- end }}
