{{/*
spark-namespace.checks: values that cannot go together, each refused in one line that says what to do.
spark-namespace.checkNetwork: those of them that are in network
*/}}
{{- define "spark-namespace.checks" -}}
{{- /* Each template asks that reckons with values, because helm may render any first; their root is one and the same. */ -}}
{{- if not (hasKey . "kindlingChecked") -}}
{{- $_ := set . "kindlingChecked" true -}}
{{- include "spark-common.checkForms" . -}}
{{- include "spark-common.checkDenied" . -}}
{{- include "spark-common.checkText" .Values -}}
{{- range $key := keys .Values.namespace.labels | sortAlpha -}}
{{- if or (hasPrefix "pod-security.kubernetes.io/" $key) (regexMatch "^(app\\.kubernetes\\.io/(name|instance|managed-by|part-of)|helm\\.sh/chart)$" $key) -}}
{{- fail (printf "namespace.labels sets %s, which the chart sets itself: take another key, and podSecurity for the level" $key) -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.namespace.annotations "helm.sh/resource-policy" -}}
{{- fail "namespace.annotations sets helm.sh/resource-policy, which the chart sets itself: a team's namespace stays when its release goes; leave it out" -}}
{{- end -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" .Values.namespace.annotations "from" "namespace.annotations") -}}
{{- if and .Values.namespace.create (not .Values.namespace.name) -}}
{{- fail "namespace.name is empty: set it to the team's namespace, or namespace.create to false to use the release's own" -}}
{{- end -}}
{{- if and .Values.namespace.create (eq .Values.namespace.name .Release.Namespace) -}}
{{- fail (printf "namespace.name is %q, the release's own namespace, which a chart cannot make: install with --namespace kindling-system, or set namespace.create to false" .Release.Namespace) -}}
{{- end -}}
{{- include "spark-namespace.checkQuota" . -}}
{{- $accounts := .Values.global.serviceAccounts -}}
{{- if ne (len $accounts) (len (uniq (values $accounts))) -}}
{{- fail (printf "global.serviceAccounts gives one name twice (%s): each part needs its own" (values $accounts | sortAlpha | join ", ")) -}}
{{- end -}}
{{- include "spark-namespace.accessChecks" . -}}
{{- include "spark-namespace.accountChecks" . -}}
{{- if and (eq (toString .Values.guard.enabled) "true") (not (include "spark-namespace.hasGuard" .)) -}}
{{- fail (printf "guard.enabled is true, but Kubernetes %s has no ValidatingAdmissionPolicy (1.30 has): set it to auto or false" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- $kube := .Capabilities.KubeVersion.Version -}}
{{- if and (eq .Values.podSecurity.mode "psp") (semverCompare ">=1.25-0" $kube) -}}
{{- fail (printf "podSecurity.mode is psp, and Kubernetes %s has no PodSecurityPolicy: set it to auto or psa" $kube) -}}
{{- end -}}
{{- if and .Values.podSecurity.policy.hostPaths (ne (include "spark-namespace.podSecurity" .) "psp") -}}
{{- fail (printf "podSecurity.policy.hostPaths lists paths, which only a PodSecurityPolicy can allow one by one, and there is none (podSecurity.mode %s on Kubernetes %s): leave it empty and give pods PersistentVolumeClaims, or set podSecurity.enforce to privileged, which allows every path that guard.hostPaths lists" .Values.podSecurity.mode $kube) -}}
{{- end -}}
{{- include "spark-namespace.checkNetwork" . -}}
{{- include "spark-common.checkHelpers" .Values.global.helpers -}}
{{- range $role, $annotations := .Values.serviceAccountAnnotations -}}
{{- include "spark-common.checkAnnotations" (dict "annotations" $annotations "from" (printf "serviceAccountAnnotations.%s" $role)) -}}
{{- end -}}
{{- include "spark-common.checkLabels" (dict "labels" .Values.global.commonLabels "from" "global.commonLabels") -}}
{{- include "spark-common.checkKeys" (dict "conf" .Values.global.sparkConf "from" "global.sparkConf") -}}
{{- include "spark-common.checkGone" (dict "conf" .Values.global.sparkConf "from" "global.sparkConf") -}}
{{- include "spark-common.checkSecurity" (dict "root" . "security" (list .Values.global.security) "allow" "global.security.allowInsecure" "confs" (list .Values.global.sparkConf) "from" (list "global.sparkConf")) -}}
{{- include "spark-common.checkEventLog" (dict "eventLog" .Values.global.eventLog "global" .Values.global "confs" (list .Values.global.sparkConf) "from" (list "global.sparkConf")) -}}
{{- include "spark-common.checkHadoop" (dict "global" .Values.global "confs" (list .Values.global.sparkConf) "from" (list "global.sparkConf")) -}}
{{- range $key := list "runAsUser" "fsGroup" -}}
{{- range get $.Values.podSecurity.policy $key -}}
{{- if gt (int64 .min) (int64 .max) -}}
{{- fail (printf "podSecurity.policy.%s has a range from %d to %d: its min must not be above its max" $key (int64 .min) (int64 .max)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spark-namespace.checkNetwork" -}}
{{- $network := .Values.network -}}
{{- if and $network.egress.closed (not $network.egress.apiServer.cidrs) -}}
{{- fail "network.egress.closed is true but network.egress.apiServer.cidrs is empty, and no driver could start executors: give the addresses of \"kubectl get service,endpoints kubernetes\"" -}}
{{- end -}}
{{- if and .Values.global.isolateApplications (not $network.ingress.closed) -}}
{{- fail "global.isolateApplications is true but network.ingress.closed is false: applications are isolated in a closed namespace only; set it to true" -}}
{{- end -}}
{{- include "spark-common.checkPeers" (dict "peers" $network.ingress.from "from" "network.ingress.from") -}}
{{- include "spark-common.checkPeers" (dict "peers" $network.egress.to "from" "network.egress.to") -}}
{{- end }}
