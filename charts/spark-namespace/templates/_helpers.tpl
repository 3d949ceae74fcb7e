{{/*
spark-namespace.name          the team's namespace; call with the root
spark-namespace.roleBinding   binds a Role to the service account of the same name; call with a dict: root, name
spark-namespace.podSecurity   what refuses pods on this Kubernetes: "psp", "psa" or "none"; call with the root
spark-namespace.policy        name of the PodSecurityPolicy; call with the root
spark-namespace.podTemplate   what the namespace asks of pods that plain spark-submit makes; call with a dict: root, role
spark-namespace.closedDirections     policyTypes of what values close, or nothing; call with the root
spark-namespace.driverAccounts       names of the accounts of driver.accounts, JSON; call with the root
spark-namespace.sharingApplications  a selector: pods of applications that have no NetworkPolicy of their own
*/}}

{{- define "spark-namespace.name" -}}
{{- .Values.namespace.name | default .Release.Namespace -}}
{{- end }}

{{- define "spark-namespace.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .name | quote }}
  namespace: {{ include "spark-namespace.name" .root | quote }}
  labels:
    {{- include "spark-common.labels" . | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .name | quote }}
subjects:
  - kind: ServiceAccount
    name: {{ .name | quote }}
    namespace: {{ include "spark-namespace.name" .root | quote }}
{{- end }}

{{- /* By version: without a cluster, helm's APIVersions are none of the asked Kubernetes. */}}
{{- define "spark-namespace.podSecurity" -}}
{{- if ne .Values.podSecurity.mode "auto" -}}
{{- .Values.podSecurity.mode -}}
{{- else -}}
{{- semverCompare "<1.25-0" .Capabilities.KubeVersion.Version | ternary "psp" "psa" -}}
{{- end -}}
{{- end }}

{{- define "spark-namespace.policy" -}}
spark-{{ include "spark-namespace.name" . }}
{{- end }}

{{- define "spark-namespace.podTemplate" -}}
apiVersion: v1
kind: Pod
spec:
  {{- with get .root.Values.global.priorityClasses .role }}
  priorityClassName: {{ quote . }}
  {{- end }}
  {{- include "spark-common.pullSecrets" .root.Values.image.pullSecrets | nindent 2 }}
  securityContext:
    {{- include "spark-common.podSecurityContext" .root | nindent 4 }}
  {{- $isDriver := eq .role "driver" }}
  {{- $global := .root.Values.global }}
  {{- $hadoop := dict "global" $global "isDriver" $isDriver }}
  {{- $outside := dict "global" $global "opensS3" true }}
  {{- if $isDriver }}
  {{- $_ := include "spark-common.login" $global | fromYaml | set $hadoop "login" }}
  {{- $_ = set $outside "eventLog" $global.eventLog }}
  {{- end }}
  {{- with include "spark-common.trustInit" (merge (dict "image" (include "spark-common.image" .root)) $outside) }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    - name: spark
      env:
        {{- with $isDriver | ternary (include "spark-common.eventLogEnv" $global.eventLog) (include "spark-common.authEnv" (list $global.security)) }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- include "spark-common.hadoopEnv" $hadoop | nindent 8 }}
        {{- include "spark-common.outsideEnv" $outside | nindent 8 }}
      securityContext:
        {{- include "spark-common.containerSecurityContext" . | nindent 8 }}
      volumeMounts:
        {{- include "spark-common.scratchMounts" . | nindent 8 }}
        {{- with include "spark-common.authMount" (list .root.Values.global.security) }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- if $isDriver }}
        {{- include "spark-common.eventLogMounts" $global.eventLog | nindent 8 }}
        {{- end }}
        {{- include "spark-common.hadoopMounts" $hadoop | nindent 8 }}
        {{- include "spark-common.outsideMounts" $outside | nindent 8 }}
  volumes:
    {{- include "spark-common.scratchVolumes" . | nindent 4 }}
    {{- with include "spark-common.authVolume" (list .root.Values.global.security) }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- if $isDriver }}
    {{- include "spark-common.eventLogVolumes" $global.eventLog | nindent 4 }}
    {{- end }}
    {{- include "spark-common.hadoopVolumes" $hadoop | nindent 4 }}
    {{- include "spark-common.outsideVolumes" $outside | nindent 4 }}
{{- end }}

{{- define "spark-namespace.closedDirections" -}}
{{- range $type, $direction := dict "Ingress" .Values.network.ingress "Egress" .Values.network.egress }}
{{- if $direction.closed }}
- {{ $type }}
{{- end }}
{{- end }}
{{- end }}

{{- define "spark-namespace.sharingApplications" -}}
matchExpressions:
  - { key: spark-role, operator: In, values: [driver, executor] }
  - { key: kindling.local/isolated, operator: DoesNotExist }
{{- end }}

{{- define "spark-namespace.driverAccounts" -}}
{{- $names := list -}}
{{- range .Values.driver.accounts -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- toJson $names -}}
{{- end }}
